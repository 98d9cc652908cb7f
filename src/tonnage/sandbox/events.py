"""The events of a sandbox: what their audit entries are called."""

from tonnage.access.event import EVERY_KIND, OPERATOR_ONLY, Event

EVENTS = (
    Event("sandbox.advance", "Advanced the clock of the sandbox", OPERATOR_ONLY),
    Event("sandbox.usage", "Set the usage of an account of the sandbox", EVERY_KIND),
)

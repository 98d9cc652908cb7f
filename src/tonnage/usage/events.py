"""The events of usage: what their audit entries are called."""

from tonnage.access.event import EVERY_KIND, OPERATOR_ONLY, Event

EVENTS = (
    Event("usage.import", "Imported usage", OPERATOR_ONLY),
    Event("usage.correct", "Corrected the usage of a day", EVERY_KIND, type="usage.corrected"),
)

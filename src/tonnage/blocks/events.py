"""The events of blocks: what their audit entries are called."""

from tonnage.access.event import EVERY_KIND, OPERATOR_ONLY, Event

EVENTS = (
    Event("member.lift-block", "Lifted block of sign-ins", EVERY_KIND),
    Event("installation.lift-block", "Lifted block of a client", OPERATOR_ONLY),
)

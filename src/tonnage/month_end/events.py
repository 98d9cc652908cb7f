"""The events of the month's end: what their audit entries are called."""

from tonnage.access.event import EVERY_KIND, Event

EVENTS = (
    Event("statements.freeze", "Froze statements of a month", EVERY_KIND),
    Event("statements.number", "Froze statement", EVERY_KIND, type="statement.frozen", is_private=True),
    Event("statements.receive", "Got statement", EVERY_KIND, type="statement.received", is_private=True),
    Event("statements.correct", "Corrected a frozen month", EVERY_KIND),
)

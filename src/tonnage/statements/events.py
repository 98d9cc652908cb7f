"""The events of statements: what their audit entries are called."""

from tonnage.access.event import EVERY_KIND, Event

EVENTS = (
    Event("statements.pay", "Marked statement as paid", EVERY_KIND),
    Event("statements.adjust", "Adjusted the next statement of a buyer", EVERY_KIND),
)

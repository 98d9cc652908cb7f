"""The events of credit notes: what their audit entries are called."""

from tonnage.access.event import EVERY_KIND, Event

EVENTS = (
    Event("statements.credit", "Issued credit note", EVERY_KIND),
    Event("statements.void", "Made statement void", EVERY_KIND),
)

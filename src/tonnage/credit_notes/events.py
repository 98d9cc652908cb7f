"""The events of credit notes: what their audit entries are called."""

from tonnage.access.event import EVERY_KIND, Event

EVENTS = (
    Event("statements.credit", "Issued credit note", EVERY_KIND, type="credit_note.issued", is_private=True),
    Event("statements.receive-credit", "Got credit note", EVERY_KIND, type="credit_note.received", is_private=True),
    Event("statements.void", "Made statement void", EVERY_KIND, type="statement.voided", is_private=True),
)

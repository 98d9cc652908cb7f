"""The events of statements: what their audit entries are called."""

from tonnage.access.event import EVERY_KIND, Event

EVENTS = (
    Event("statements.pay", "Marked statement as paid", EVERY_KIND, type="statement.paid", is_private=True),
    Event(
        "statements.adjust",
        "Adjusted the next statement of a buyer",
        EVERY_KIND,
        type="adjustment.created",
        is_private=True,
    ),
)

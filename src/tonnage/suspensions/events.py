"""The events of suspensions: what their audit entries are called."""

from tonnage.access.event import EVERY_KIND, Event

EVENTS = (
    Event("partner.suspend", "Suspended partner", EVERY_KIND, type="partner.suspended"),
    Event("partner.resume", "Resumed partner", EVERY_KIND, type="partner.resumed"),
    Event(
        "partner.warn-of-suspension",
        "Announced suspension of partner for an overdue statement",
        EVERY_KIND,
        type="partner.suspension_warned",
    ),
)

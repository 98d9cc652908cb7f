"""The events of personal data: what their audit entries are called."""

from tonnage.access.event import EVERY_KIND, Event

EVENTS = (
    Event("member.export", "Exported a member's data", EVERY_KIND),
    Event("organisation.export", "Exported the organisation's data", EVERY_KIND),
    Event("organisation.erase", "Erased organisation", EVERY_KIND),
)

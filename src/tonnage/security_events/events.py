"""The events of what is no change: what their audit entries are called."""

from tonnage.access.event import EVERY_KIND, Event

EVENTS = (
    Event("member.fail-password", "Failed sign-ins with a wrong password", EVERY_KIND),
    Event("member.fail-code", "Failed sign-ins with a wrong code", EVERY_KIND),
    Event("member.fail-locked", "Failed sign-ins while locked", EVERY_KIND),
    Event("member.request-password", "Requested links for a new password", EVERY_KIND),
    Event("member.request-link", "Requested sign-in links", EVERY_KIND),
    Event("member.refuse", "Refused what the member may not do", EVERY_KIND),
    Event("key.refuse", "Refused what the API key may not do", EVERY_KIND),
    Event("organisation.export-file", "Exported file", EVERY_KIND),
)

"""The events of decisions about drift: what their audit entries are called."""

from tonnage.access.event import EVERY_KIND, Event

EVENTS = (
    Event("account.adopt", "Adopted storage account from its cluster", EVERY_KIND, type="account.adopted"),
    Event("account.resolve", "Decided differences between storage account and its cluster", EVERY_KIND),
)

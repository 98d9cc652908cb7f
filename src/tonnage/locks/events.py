"""The events of locks: what their audit entries are called."""

from tonnage.access.event import EVERY_KIND, Event

EVENTS = (
    Event("member.lock", "Locked member", EVERY_KIND, type="member.locked"),
    Event("member.unlock", "Unlocked member", EVERY_KIND, type="member.unlocked"),
    Event("organisation.lock", "Locked organisation", EVERY_KIND, type="organisation.locked"),
    Event("organisation.unlock", "Unlocked organisation", EVERY_KIND, type="organisation.unlocked"),
)

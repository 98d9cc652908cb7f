"""The events of members: what their audit entries are called."""

from tonnage.access.event import EVERY_KIND, Event

EVENTS = (
    Event("member.create", "Added member", EVERY_KIND, type="member.created"),
    Event("member.update", "Changed member", EVERY_KIND, type="member.updated"),
    Event("member.delete", "Removed member", EVERY_KIND, type="member.deleted"),
    Event("member.set-password", "Set member password", EVERY_KIND),
)

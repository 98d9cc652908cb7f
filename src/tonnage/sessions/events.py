"""The events of sessions that others end: what their audit entries are called."""

from tonnage.access.event import EVERY_KIND, Event

EVENTS = (Event("member.end-sessions", "Ended sessions of member", EVERY_KIND),)

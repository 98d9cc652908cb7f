"""The events of sessions: what their audit entries are called."""

from tonnage.access.event import EVERY_KIND, Event

EVENTS = (Event("member.end-sessions", "Ended sessions", EVERY_KIND),)

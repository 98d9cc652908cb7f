"""The events of devices: what their audit entries are called."""

from tonnage.access.event import EVERY_KIND, Event

EVENTS = (
    Event("member.allow-sign-in", "Made a sign-in link", EVERY_KIND),
    Event("member.use-sign-in-link", "Used sign-in link", EVERY_KIND),
)

"""The events of notifications: what their audit entries are called."""

from tonnage.access.event import EVERY_KIND, Event

EVENTS = (Event("member.choose-notifications", "Changed notifications", EVERY_KIND),)

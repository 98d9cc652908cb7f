"""The events of series of numbers: what their audit entries are called."""

from tonnage.access.event import EVERY_KIND, Event

EVENTS = (Event("statements.skip", "Went on after numbers that a backup did not have", EVERY_KIND),)

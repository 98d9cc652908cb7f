"""The events of usage: what their audit entries are called."""

from tonnage.access.event import OPERATOR_ONLY, Event

EVENTS = (Event("usage.import", "Imported usage", OPERATOR_ONLY),)

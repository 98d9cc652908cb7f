"""The events of organisations: what their audit entries are called."""

from tonnage.access.event import OPERATOR_ONLY, Event

EVENTS = (Event("distributor.create", "Created distributor", OPERATOR_ONLY, type="distributor.created"),)

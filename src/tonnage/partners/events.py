"""The events of partners: what their audit entries are called."""

from tonnage.access.event import OPERATOR_ONLY, SELLERS, Event

EVENTS = (
    Event("partner.create", "Created partner", SELLERS),
    Event("partner.update", "Changed partner", SELLERS),
    Event("partner.move", "Moved partner to another contract", SELLERS),
    Event("partner.close", "Deleted partner", SELLERS),
    Event("distributor.close", "Closed distributor", OPERATOR_ONLY),
)

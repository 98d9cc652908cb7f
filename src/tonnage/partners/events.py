"""The events of partners: what their audit entries are called."""

from tonnage.access.event import EVERY_KIND, OPERATOR_ONLY, SELLERS, Event

EVENTS = (
    Event("partner.create", "Created partner", EVERY_KIND, type="partner.created"),
    Event("partner.update", "Changed partner", EVERY_KIND, type="partner.updated"),
    Event("partner.move", "Moved partner to another contract", EVERY_KIND, type="partner.moved"),
    Event("partner.close", "Deleted partner", SELLERS, type="partner.deleted"),
    Event("distributor.close", "Closed distributor", OPERATOR_ONLY, type="distributor.closed"),
)

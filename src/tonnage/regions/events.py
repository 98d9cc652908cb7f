"""The events of regions: what their audit entries are called."""

from tonnage.access.event import OPERATOR_ONLY, Event

EVENTS = (
    Event("region.create", "Added region", OPERATOR_ONLY, type="region.created"),
    Event("region.connect", "Connected region to its storage cluster", OPERATOR_ONLY, type="region.connected"),
    Event("region.fail", "Storage cluster cannot be used", OPERATOR_ONLY, type="region.failed"),
    Event("region.recover", "Storage cluster works again", OPERATOR_ONLY, type="region.recovered"),
    Event("region.default", "Made region the default", OPERATOR_ONLY),
    Event("region.state-capacity", "Stated the physical capacity of region", OPERATOR_ONLY),
    Event("region.delete", "Removed region", OPERATOR_ONLY, type="region.deleted"),
)

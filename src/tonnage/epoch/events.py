"""The events of the epoch: what their audit entries are called."""

from tonnage.access.event import OPERATOR_ONLY, Event

EVENTS = (
    Event("installation.hold", "Recognised an older database", OPERATOR_ONLY, type="installation.held"),
    Event("installation.confirm", "Confirmed the restored database", OPERATOR_ONLY, type="installation.confirmed"),
)

"""The events of provisioning: what their audit entries are called."""

from tonnage.access.event import EVERY_KIND, OPERATOR_ONLY, Event

EVENTS = (
    Event("account.purge", "Permanently deleted storage account", EVERY_KIND, type="account.deleted"),
    Event("region.reconcile", "Compared storage cluster with the database", OPERATOR_ONLY),
)

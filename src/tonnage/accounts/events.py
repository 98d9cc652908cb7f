"""The events of storage accounts: what their audit entries are called."""

from tonnage.access.event import EVERY_KIND, Event

EVENTS = (
    Event("account.create", "Created storage account", EVERY_KIND, type="account.created"),
    Event("account.update", "Changed storage account", EVERY_KIND, type="account.updated"),
    Event("account.set-password", "Set storage account password", EVERY_KIND, type="account.password_set"),
    Event("account.suspend", "Suspended storage account", EVERY_KIND, type="account.suspended"),
    Event("account.resume", "Resumed storage account", EVERY_KIND, type="account.resumed"),
    Event("account.delete", "Scheduled storage account deletion", EVERY_KIND, type="account.deletion_scheduled"),
    Event("account.restore", "Restored storage account", EVERY_KIND, type="account.restored"),
)

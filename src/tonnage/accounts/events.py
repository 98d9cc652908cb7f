"""The events of storage accounts: what their audit entries are called."""

from tonnage.access.event import EVERY_KIND, Event

EVENTS = (
    Event("account.create", "Created storage account", EVERY_KIND),
    Event("account.update", "Changed storage account", EVERY_KIND),
    Event("account.set-password", "Set storage account password", EVERY_KIND),
    Event("account.suspend", "Suspended storage account", EVERY_KIND),
    Event("account.resume", "Resumed storage account", EVERY_KIND),
    Event("account.delete", "Scheduled storage account deletion", EVERY_KIND),
    Event("account.restore", "Restored storage account", EVERY_KIND),
)

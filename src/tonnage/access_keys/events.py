"""The events of access keys: what their audit entries are called."""

from tonnage.access.event import EVERY_KIND, Event

EVENTS = (
    Event("account.create-key", "Created access key", EVERY_KIND, type="access_key.created"),
    Event("account.delete-key", "Deleted access key", EVERY_KIND, type="access_key.deleted"),
    Event("account.find-key", "Found access key that was not created here", EVERY_KIND),
    Event("account.accept-key", "Accepted access key that was not created here", EVERY_KIND),
    Event("account.mark-key-lost", "Found access key missing from the storage cluster", EVERY_KIND),
)

"""The events of API keys: what their audit entries are called."""

from tonnage.access.event import EVERY_KIND, Event

EVENTS = (
    Event("key.create", "Created API key", EVERY_KIND, type="key.created"),
    Event("key.limit", "Changed limit of API key", EVERY_KIND, type="key.updated"),
    Event("key.near-expiry", "API key expires soon", EVERY_KIND, type="key.expiring"),
    Event("key.expire", "API key has expired", EVERY_KIND, type="key.expired"),
    Event("key.revoke", "Revoked API key", EVERY_KIND, type="key.revoked"),
)

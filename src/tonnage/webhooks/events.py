"""The events of webhooks: what their audit entries are called. They are in no feed, which they would feed again."""

from tonnage.access.event import EVERY_KIND, Event

EVENTS = (
    Event("webhook.create", "Created webhook", EVERY_KIND),
    Event("webhook.update", "Changed webhook", EVERY_KIND),
    Event("webhook.delete", "Deleted webhook", EVERY_KIND),
    Event("webhook.add-secret", "Created webhook secret", EVERY_KIND),
    Event("webhook.revoke-secret", "Revoked webhook secret", EVERY_KIND),
    Event("webhook.test", "Sent test event", EVERY_KIND),
    Event("webhook.replay", "Sent events again", EVERY_KIND),
    Event("webhook.disable", "Webhook was disabled", EVERY_KIND),
)

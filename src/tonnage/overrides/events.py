"""The events of timed overrides: what their audit entries are called."""

from tonnage.access.event import EVERY_KIND, Event

EVENTS = (
    Event("account.grant-override", "Granted storage account an override", EVERY_KIND, type="account.override_granted"),
    Event(
        "account.override-ending", "Override of storage account ends soon", EVERY_KIND, type="account.override_ending"
    ),
    Event("account.end-override", "Ended override of storage account", EVERY_KIND, type="account.override_ended"),
    Event("partner.grant-override", "Granted partner an override", EVERY_KIND, type="partner.override_granted"),
    Event("partner.override-ending", "Override of partner ends soon", EVERY_KIND, type="partner.override_ending"),
    Event("partner.end-override", "Ended override of partner", EVERY_KIND, type="partner.override_ended"),
)

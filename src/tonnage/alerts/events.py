"""The events of alerts: what their audit entries are called."""

from tonnage.access.event import EVERY_KIND, SELLERS, Event

EVENTS = (
    Event("organisation.set-alert-levels", "Changed alert levels", EVERY_KIND),
    Event("account.reach-level", "Storage account reached an alert level", EVERY_KIND, type="account.alert"),
    Event("account.exceed", "Storage account uses all of its allocation", EVERY_KIND, type="account.over_allocation"),
    Event("account.leave-level", "Storage account fell below an alert level", EVERY_KIND, type="account.alert_ended"),
    Event(
        "account.reach-cap-level",
        "Storage account reached an alert level of its cap",
        EVERY_KIND,
        type="account.cap_alert",
    ),
    Event("account.exceed-cap", "Storage account reached its cap", EVERY_KIND, type="account.cap_reached"),
    Event(
        "account.leave-cap-level",
        "Storage account fell below an alert level of its cap",
        EVERY_KIND,
        type="account.cap_alert_ended",
    ),
    Event("partner.reach-cap-level", "Partner reached an alert level of its cap", EVERY_KIND, type="partner.cap_alert"),
    Event("partner.exceed-cap", "Partner reached its cap", EVERY_KIND, type="partner.cap_reached"),
    Event(
        "partner.leave-cap-level",
        "Partner fell below an alert level of its cap",
        EVERY_KIND,
        type="partner.cap_alert_ended",
    ),
    Event("partner.reach-level", "Partner reached an alert level", EVERY_KIND, type="partner.alert"),
    Event("partner.exceed", "Partner uses all of its allocation", EVERY_KIND, type="partner.over_allocation"),
    Event("partner.leave-level", "Partner fell below an alert level", EVERY_KIND, type="partner.alert_ended"),
    Event("contract.reach-level", "Contract reached an alert level", SELLERS, type="contract.alert"),
    Event("contract.exceed", "Contract uses all that it reserves", SELLERS, type="contract.over_reserved"),
    Event("contract.leave-level", "Contract fell below an alert level", SELLERS, type="contract.alert_ended"),
)

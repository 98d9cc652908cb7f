"""The events of billing profiles and of sellers' settings: what their audit entries are called."""

from tonnage.access.actor import Kind
from tonnage.access.event import EVERY_KIND, Event

EVENTS = (
    Event("organisation.update-billing-profile", "Changed billing profile", EVERY_KIND),
    Event("account.update-billing-profile", "Changed billing profile", frozenset({Kind.DISTRIBUTOR, Kind.PARTNER})),
    Event("organisation.update-billing-settings", "Changed billing settings", EVERY_KIND),
    Event("organisation.set-logo", "Changed logo of documents", EVERY_KIND),
    Event("organisation.update-tax-rates", "Changed tax rates", EVERY_KIND),
)

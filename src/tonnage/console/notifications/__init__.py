"""What members learn of events: their inbox, what they choose, and the alerts of their organisation."""

from fastapi import APIRouter

from tonnage.console.notifications import alerts, contacts, inbox, preferences, unsubscribe

routes: tuple[APIRouter, ...] = (
    inbox.routes,
    preferences.routes,
    alerts.routes,
    alerts.of_partners,
    unsubscribe.routes,
    contacts.routes,
)

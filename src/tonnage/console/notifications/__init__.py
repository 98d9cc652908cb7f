"""What members learn of events: their inbox, what they choose, and the alerts of their organisation."""

from fastapi import APIRouter

from tonnage.console.notifications import alerts, choices, inbox, stopping

routes: tuple[APIRouter, ...] = (inbox.routes, choices.routes, alerts.routes, stopping.routes)

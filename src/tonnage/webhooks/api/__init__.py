"""The API of webhooks."""

from fastapi import APIRouter

from tonnage.webhooks.api import deliveries, endpoints

routes: tuple[APIRouter, ...] = (endpoints.routes, deliveries.routes)

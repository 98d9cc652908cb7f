"""Webhooks of the reader's organisation."""

from fastapi import APIRouter

from tonnage.console.webhooks import editing, endpoint, endpoints

routes: tuple[APIRouter, ...] = (endpoints.routes, endpoint.routes, editing.routes)

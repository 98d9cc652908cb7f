"""The doors to traffic and to how fresh the figures are."""

from fastapi import APIRouter

from tonnage.metering.api import freshness, traffic

routes: tuple[APIRouter, ...] = (traffic.routes, freshness.routes)

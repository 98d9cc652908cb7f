"""The API of traffic, and of the freshness of usage figures."""

from fastapi import APIRouter

from tonnage.metering.api import freshness, traffic

routes: tuple[APIRouter, ...] = (traffic.routes, freshness.routes)

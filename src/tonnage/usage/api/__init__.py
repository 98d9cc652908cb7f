"""The doors to usage: a file for the published ones, the others by what they are about."""

from fastapi import APIRouter

from tonnage.usage.api import freshness, published, traffic

routes: tuple[APIRouter, ...] = (published.routes, traffic.routes, freshness.routes)

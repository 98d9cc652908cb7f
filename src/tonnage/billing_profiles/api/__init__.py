"""The API of billing: profiles, and how sellers make their documents."""

from fastapi import APIRouter

from tonnage.billing_profiles.api import profiles, settings

routes: tuple[APIRouter, ...] = (profiles.routes, settings.routes)

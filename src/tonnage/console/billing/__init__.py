"""Billing: an organisation's own profile, how its documents are made, its tax rates; and the profiles of its buyers."""

from fastapi import APIRouter

from tonnage.console.billing import own, settings, tax_rates

routes: tuple[APIRouter, ...] = (own.routes, settings.routes, tax_rates.routes)
"""Those that every organisation has."""

"""What the operator sees: everything."""

from fastapi import APIRouter

from tonnage.console.operator import (
    accounts,
    billing_profile,
    contracts,
    distributors,
    jobs,
    members,
    overview,
    partners,
    prices,
    regions,
)

routes: tuple[APIRouter, ...] = (
    overview.routes,
    distributors.routes,
    distributors.keys,
    distributors.locking,
    billing_profile.routes,
    contracts.routes,
    prices.routes,
    partners.routes,
    partners.keys,
    partners.locking,
    accounts.routes,
    regions.routes,
    members.routes,
    members.member,
    members.sessions,
    jobs.routes,
)

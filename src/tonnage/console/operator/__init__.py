"""What the operator sees: everything."""

from fastapi import APIRouter

from tonnage.console.operator import accounts, contracts, distributors, jobs, members, overview, partners, regions

routes: tuple[APIRouter, ...] = (
    overview.routes,
    distributors.routes,
    contracts.routes,
    partners.routes,
    accounts.routes,
    regions.routes,
    members.routes,
    members.member,
    jobs.routes,
)

"""What a distributor sees: its partners and all they have, its contracts."""

from fastapi import APIRouter

from tonnage.console.distributor import accounts, allocation, contracts, new_partner, partners, settings, usage, users

routes: tuple[APIRouter, ...] = (
    partners.routes,
    new_partner.routes,
    usage.routes,
    allocation.routes,
    users.routes,
    users.user,
    accounts.routes,
    accounts.account,
    settings.routes,
    contracts.routes,
)

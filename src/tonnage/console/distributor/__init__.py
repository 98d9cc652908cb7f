"""What a distributor sees: its partners and all they have, its contracts."""

from fastapi import APIRouter

from tonnage.console.distributor import accounts, allocation, contracts, members, new_partner, partners, settings, usage

routes: tuple[APIRouter, ...] = (
    partners.routes,
    new_partner.routes,
    usage.routes,
    allocation.routes,
    members.routes,
    members.member,
    accounts.routes,
    accounts.account,
    settings.routes,
    settings.locking,
    contracts.routes,
)

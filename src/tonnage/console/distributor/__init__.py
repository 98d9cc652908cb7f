"""What a distributor sees: its partners and all they have, its contracts."""

from fastapi import APIRouter

from tonnage.console.distributor import (
    accounts,
    allocation,
    billing_profile,
    contracts,
    keys,
    members,
    new_partner,
    overdraft_cap,
    overdue,
    override,
    overview,
    partner_terms,
    partners,
    prices,
    settings,
    suspension,
    usage,
)

routes: tuple[APIRouter, ...] = (
    overview.routes,
    partners.routes,
    new_partner.routes,
    usage.routes,
    allocation.routes,
    overdraft_cap.routes,
    override.routes,
    partner_terms.routes,
    members.routes,
    members.member,
    members.sessions,
    accounts.routes,
    accounts.account,
    keys.routes,
    settings.routes,
    settings.locking,
    suspension.routes,
    overdue.routes,
    billing_profile.routes,
    contracts.routes,
    prices.own,
    prices.of_contract,
    prices.of_partner,
)

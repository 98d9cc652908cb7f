"""What a partner sees: its storage accounts, and all that they use."""

from fastapi import APIRouter

from tonnage.console.partner import account, accounts, billing_profile, overview, prices, usage

routes: tuple[APIRouter, ...] = (
    overview.routes,
    accounts.routes,
    account.routes,
    billing_profile.routes,
    usage.routes,
    prices.own,
    prices.of_all,
    prices.of_account,
)

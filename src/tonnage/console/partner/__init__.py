"""What a partner sees: its storage accounts, and all that they use."""

from fastapi import APIRouter

from tonnage.console.partner import account, accounts, billing_profile, usage

routes: tuple[APIRouter, ...] = (accounts.routes, account.routes, billing_profile.routes, usage.routes)

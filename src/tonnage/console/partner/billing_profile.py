"""The billing profile that a partner keeps of a storage account."""

from functools import partial

from tonnage.accounts.actions import account_number
from tonnage.billing_profiles.actions import of_account
from tonnage.console.accounts.scope import AccountContext
from tonnage.console.billing.profile import ProfilePage, closed_profile, profile_routes
from tonnage.console.page_request import PageRequest, PartnerAdmin, PartnerViewer
from tonnage.console.partner.accounts import accounts_scope
from tonnage.errors import NotFound


async def _kept(page: PageRequest, account: str) -> ProfilePage:
    context = AccountContext(accounts_scope(page), account_number(account))
    subject, path = of_account(page.actor, context.account_id), f"{context.path}/billing-profile"
    try:
        found = await context.account()
    except NotFound as missing:
        return await closed_profile(page, subject, path, missing)
    return ProfilePage(page, subject, path, partial(context.render, "partner/billing_profile.html", found))


async def _for_viewer(page: PartnerViewer, accountID: str) -> ProfilePage:
    return await _kept(page, accountID)


async def _for_admin(page: PartnerAdmin, accountID: str) -> ProfilePage:
    return await _kept(page, accountID)


routes = profile_routes("/partner/accounts/{accountID}/billing-profile", reading=_for_viewer, changing=_for_admin)

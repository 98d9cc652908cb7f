"""One storage account of the partner."""

from tonnage.access.actor import Role
from tonnage.accounts.actions import account_number
from tonnage.console.accounts.routes import account_routes
from tonnage.console.accounts.scope import AccountContext
from tonnage.console.page_request import PartnerAdmin, PartnerStaff, PartnerViewer
from tonnage.console.partner.accounts import accounts_scope


async def _for_viewer(page: PartnerViewer, accountID: str) -> AccountContext:
    return AccountContext(accounts_scope(page), account_number(accountID))


async def _for_staff(page: PartnerStaff, accountID: str) -> AccountContext:
    page.actor.require_for_storage(Role.STAFF)
    return AccountContext(accounts_scope(page), account_number(accountID))


async def _for_admin(page: PartnerAdmin, accountID: str) -> AccountContext:
    page.actor.require_for_storage(Role.ADMIN)
    return AccountContext(accounts_scope(page), account_number(accountID))


routes = account_routes(
    "/partner/accounts/{accountID}",
    reading=_for_viewer,
    changing=_for_staff,
    deleting=_for_admin,
    capping=_for_staff,
)

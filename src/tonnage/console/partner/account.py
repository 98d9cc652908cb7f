"""One storage account of the partner. Its viewers see the list and the use of all accounts, but none of them closer."""

from tonnage.accounts.actions import number_of
from tonnage.console.accounts.place import Place
from tonnage.console.accounts.routes import account_routes
from tonnage.console.partner.accounts import holding
from tonnage.console.visit import PartnerAdmin, PartnerStaff


async def _for_staff(visit: PartnerStaff, accountID: str) -> Place:
    return Place(holding(visit), number_of(accountID))


async def _for_admin(visit: PartnerAdmin, accountID: str) -> Place:
    return Place(holding(visit), number_of(accountID))


routes = account_routes("/partner/accounts/{accountID}", reading=_for_staff, changing=_for_staff, deleting=_for_admin)

"""A partner's storage accounts, and all about each of them, for its distributor."""

from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from tonnage.accounts.actions import account_number
from tonnage.accounts.lists import ACCOUNTS, AccountRow, account_rows, every_account
from tonnage.console.accounts import new_account as account_new_account
from tonnage.console.accounts.routes import account_routes
from tonnage.console.accounts.scope import AccountContext, AccountsScope, Crumbs
from tonnage.console.distributor.partner import facts_of, partner_page, path_of
from tonnage.console.page_request import DistributorAdmin, DistributorStaff, DistributorViewer, PageRequest
from tonnage.console.rendering import gettext
from tonnage.console.tables.accounts import ACCOUNTS_TABLE
from tonnage.db import Connection
from tonnage.lists import PageOf
from tonnage.partners.partner_queries import PartnerDetail
from tonnage.web.list_state import read_list_state
from tonnage.web.routing import AuthFirstRoute
from tonnage.web.schemas import UuidPath

_PREFIX = "/distributor/partners/{partnerID}/accounts"

routes = APIRouter(prefix=_PREFIX, route_class=AuthFirstRoute, include_in_schema=False)


def _accounts_scope(page: PageRequest, partner_id: UUID) -> AccountsScope:
    path = f"{path_of(partner_id)}/accounts"

    def crumbs(partner: str) -> Crumbs:
        return [
            (gettext("Partners"), "/distributor/partners"),
            (partner, path_of(partner_id)),
            (gettext("Storage accounts"), path),
        ]

    return AccountsScope(page, partner_id, path, crumbs)


async def _for_viewer(page: DistributorViewer, partnerID: UuidPath, accountID: str) -> AccountContext:
    return AccountContext(_accounts_scope(page, partnerID), account_number(accountID))


async def _for_staff(page: DistributorStaff, partnerID: UuidPath, accountID: str) -> AccountContext:
    return AccountContext(_accounts_scope(page, partnerID), account_number(accountID))


async def _for_admin(page: DistributorAdmin, partnerID: UuidPath, accountID: str) -> AccountContext:
    return AccountContext(_accounts_scope(page, partnerID), account_number(accountID))


account = account_routes(f"{_PREFIX}/{{accountID}}", reading=_for_viewer, changing=_for_staff, deleting=_for_admin)
"""One of them."""


@routes.get("")
async def accounts(page: DistributorViewer, partnerID: UuidPath) -> Response:
    """Those waiting for their deletion included."""
    state = read_list_state(ACCOUNTS, page.request.query_params)
    scope = page.actor.organisation_id

    async def read(conn: Connection) -> tuple[PartnerDetail, PageOf[AccountRow]]:
        return await facts_of(conn, page, partnerID), await account_rows(conn, scope, partnerID, state, page.today)

    facts, found = await page.database.run(read)
    path = f"{path_of(partnerID)}/accounts"
    return partner_page(
        page,
        "distributor/accounts.html",
        facts,
        list=ACCOUNTS_TABLE.paged(page, path, found, state, row_path=f"{path}/"),
    )


@routes.get(".csv")
async def accounts_as_file(page: DistributorViewer, partnerID: UuidPath) -> Response:
    """The same list, whole."""
    await page.database.run(facts_of, page, partnerID)
    state, scope = read_list_state(ACCOUNTS, page.request.query_params), page.actor.organisation_id
    return await ACCOUNTS_TABLE.file(page, every_account, scope, partnerID, state, page.today)


@routes.get("/new")
async def new_account(page: DistributorStaff, partnerID: UuidPath) -> Response:
    """The empty form."""
    return await account_new_account.ask(_accounts_scope(page, partnerID))


@routes.post("/new")
async def create_account(page: DistributorStaff, partnerID: UuidPath) -> Response:
    """On to the new account."""
    return await account_new_account.create(_accounts_scope(page, partnerID))

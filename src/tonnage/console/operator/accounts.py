"""All storage accounts, and one of them to look at: its partner or its distributor changes it."""

from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from tonnage.accounts.actions import account_number, no_account
from tonnage.accounts.lists import ACCOUNTS, AccountRow, account_rows, every_account
from tonnage.accounts.queries import owner_of
from tonnage.console.accounts import detail
from tonnage.console.accounts.scope import AccountContext, AccountsScope
from tonnage.console.page_request import OperatorViewer, PageRequest
from tonnage.console.rendering import gettext
from tonnage.console.tables.accounts import ACCOUNTS_TABLE
from tonnage.db import Connection
from tonnage.lists import ListState, PageOf
from tonnage.organisations.queries import organisation_names
from tonnage.web.list_state import read_list_state
from tonnage.web.routing import AuthFirstRoute

PATH = "/operator/accounts"

routes = APIRouter(prefix=PATH, route_class=AuthFirstRoute, include_in_schema=False)


def _partner(state: ListState) -> UUID | None:
    try:
        return UUID(state.preserved.get("partner", ""))
    except ValueError:
        return None


@routes.get("")
async def accounts(page: OperatorViewer) -> Response:
    """Of all partners, or of the one that the address names."""
    state = read_list_state(ACCOUNTS, page.request.query_params)
    partner = _partner(state)

    async def read(conn: Connection) -> tuple[PageOf[AccountRow], dict[str, str]]:
        names = await organisation_names(conn, [str(partner)]) if partner else {}
        return await account_rows(conn, None, partner, state, page.today), names

    found, names = await page.database.run(read)
    return page.render(
        "operator/accounts.html",
        list=ACCOUNTS_TABLE.paged(page, PATH, found, state, row_path=f"{PATH}/"),
        partner=names.get(str(partner)),
    )


@routes.get(".csv")
async def accounts_file(page: OperatorViewer) -> Response:
    """The same list, whole."""
    state = read_list_state(ACCOUNTS, page.request.query_params)

    return await ACCOUNTS_TABLE.file(page, every_account, None, _partner(state), state, page.today)


@routes.get("/{accountID}")
async def account(page: OperatorViewer, accountID: str) -> Response:
    """Its use and its facts."""
    return await detail.show(await _account_context(page, accountID))


@routes.get("/{accountID}/usage.csv")
async def usage_file(page: OperatorViewer, accountID: str) -> Response:
    """The same days, in order."""
    return await detail.days_file(await _account_context(page, accountID))


async def _account_context(page: PageRequest, account: str) -> AccountContext:
    number = account_number(account)
    partner = await page.database.run(owner_of, number)
    if partner is None:
        raise no_account(number)
    return AccountContext(
        AccountsScope(
            page,
            partner,
            PATH,
            lambda name: [(gettext("Storage accounts"), PATH), (name, f"/operator/partners/{partner}")],
        ),
        number,
    )

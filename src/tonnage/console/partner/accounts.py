"""The partner's storage accounts."""

from dataclasses import replace

from fastapi import APIRouter
from starlette.responses import Response

from tonnage.access.actor import Kind, Role
from tonnage.accounts.lists import OWN_ACCOUNTS, AccountRow, account_rows, every_account
from tonnage.billing.lists import sold
from tonnage.billing.month_net import Fees
from tonnage.console.accounts import new_account as account_new_account
from tonnage.console.accounts.scope import AccountsScope
from tonnage.console.date_range import read_range
from tonnage.console.fee_month import FeeMonth
from tonnage.console.page_request import PageRequest, PartnerStaff, PartnerViewer
from tonnage.console.range_usage import RangeUsage, partner_usage
from tonnage.console.rendering import gettext
from tonnage.console.tables.accounts import OWN_ACCOUNTS_TABLE
from tonnage.db import Connection
from tonnage.lists import PageOf
from tonnage.organisations.organisation import no_partner
from tonnage.partners.partner_queries import PartnerTotals, partner_totals
from tonnage.usage.lists import PartnerDay
from tonnage.web.list_state import read_list_state
from tonnage.web.routing import AuthFirstRoute

_PATH = "/partner/accounts"

routes = APIRouter(prefix=_PATH, route_class=AuthFirstRoute, include_in_schema=False)

_LISTED = replace(OWN_ACCOUNTS, preserve=("from", "to", "month"))
"""The list beside a range of days, which rules its fees too: those of the last month, if that is the range."""


def accounts_scope(page: PageRequest) -> AccountsScope:
    """All of the partner's accounts."""
    return AccountsScope(page, page.actor.organisation_id, _PATH, lambda _: [(gettext("Storage accounts"), _PATH)])


@routes.get("")
async def accounts(page: PartnerViewer) -> Response:
    """What they have and use, and the list."""
    partner = page.actor.organisation_id
    today = page.today
    chosen = read_range(page.request.query_params, today)
    month = FeeMonth.of(chosen.month, today)
    state = read_list_state(_LISTED, page.request.query_params)

    async def read(conn: Connection) -> tuple[PartnerTotals | None, PageOf[AccountRow], RangeUsage[PartnerDay], Fees]:
        return (
            await partner_totals(conn, partner, partner),
            await account_rows(conn, partner, partner, state, month.first),
            await partner_usage(conn, partner, partner, chosen),
            await sold(conn, partner, Kind.PARTNER, month.first),
        )

    totals, found, use, fees = await page.database.run(read)
    if totals is None:
        raise no_partner(partner)
    return page.render(
        "partner/accounts.html",
        totals=totals,
        use=use,
        fees=fees,
        month=month,
        list=OWN_ACCOUNTS_TABLE.of_month(page, month.first).paged(page, _PATH, found, state, row_path=f"{_PATH}/"),
        may_change=accounts_scope(page).may_change,
    )


@routes.get(".csv")
async def accounts_as_file(page: PartnerViewer) -> Response:
    """The same list, whole."""
    state, partner = read_list_state(_LISTED, page.request.query_params), page.actor.organisation_id
    month = FeeMonth.of(read_range(page.request.query_params, page.today).month, page.today)
    table = OWN_ACCOUNTS_TABLE.of_month(page, month.first)
    return await table.file(page, every_account, partner, partner, state, month.first)


@routes.get("/new")
async def new_account(page: PartnerStaff) -> Response:
    """The empty form."""
    page.actor.require_for_storage(Role.STAFF)
    return await account_new_account.ask(accounts_scope(page))


@routes.post("/new")
async def create_account(page: PartnerStaff) -> Response:
    """On to the new account."""
    page.actor.require_for_storage(Role.STAFF)
    return await account_new_account.create(accounts_scope(page))

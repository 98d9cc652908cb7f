"""The list of the statements that an organisation has sold, or bought."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from fastapi import APIRouter
from starlette.responses import Response

from tonnage.access.actor import Kind
from tonnage.billing_profiles.settings_queries import seller_settings
from tonnage.console.page_request import AnyMember, PageRequest
from tonnage.console.statements.paging import ListPage, list_page
from tonnage.console.statements.paths import PATH, adjustments_path, draft_path, earlier_month, month_path
from tonnage.console.statements.search import STATES, StatementSearch, month_choices, read_search
from tonnage.console.tables.statements import BOUGHT_TABLE, SOLD_TABLE
from tonnage.db import Connection
from tonnage.lists import LAST_PAGE, Position
from tonnage.partners.contract_lists import contract_picker
from tonnage.price_books.queries import every_book
from tonnage.statements.lists import StatementRow, every_statement, first_month, statement_rows
from tonnage.utc import month_after
from tonnage.web.routing import AuthFirstRoute

routes = APIRouter(prefix=PATH, route_class=AuthFirstRoute, include_in_schema=False)


class _Side(NamedTuple):
    """What the tab of a side says besides its statements."""

    first: date | None
    """The first day of its earliest month."""
    drafts: Sequence[tuple[str, str]] = ()
    """Of what was bought: the names of contracts, or of the partner, and the paths of their statements so far."""
    has_book: bool = True
    """Of what was sold: whether the organisation has prices at all. Only asked where nothing is listed."""
    freezes_on: date | None = None
    """Likewise: when the running month is frozen."""


@routes.get("")
async def statements(page: AnyMember) -> Response:
    """The newest month first. Without a total: counting 100,000 takes longer than showing some of them, and the page of
    a month counts its own."""
    wanted = read_search(page.actor, page.request.query_params)

    async def read(conn: Connection) -> tuple[ListPage[StatementRow], _Side]:
        async def rows(position: Position, most: int) -> list[StatementRow]:
            return await statement_rows(conn, page.actor.organisation_id, wanted.filter, page.today, position, most)

        found = await list_page(rows, wanted.position)
        return found, await _side(conn, page, wanted, is_empty=not found.rows and not wanted.is_filtered)

    found, side = await page.database.run(read)
    table = SOLD_TABLE if wanted.sold else BOUGHT_TABLE
    last = earlier_month(page.today.replace(day=1)) or page.today
    return page.render(
        "statements/list.html",
        wanted=wanted,
        found=found,
        side=side,
        list=table.whole(page, PATH, found.rows, row_path=f"{PATH}/"),
        states=STATES,
        months=month_choices(side.first, last, wanted.month),
        month=(wanted.month or last, month_path(wanted.month or last)),
        adjustments=adjustments_path(role=wanted.parameters.get("role"), buyer=wanted.buyer),
        last_page=LAST_PAGE,
    )


@routes.get(".csv")
async def statements_file(page: AnyMember) -> Response:
    """The same list, whole."""
    wanted = read_search(page.actor, page.request.query_params)
    table = SOLD_TABLE if wanted.sold else BOUGHT_TABLE
    return await table.file(page, every_statement, page.actor.organisation_id, wanted.filter, page.today)


async def _side(conn: Connection, page: PageRequest, wanted: StatementSearch, *, is_empty: bool) -> _Side:
    viewer, kind = page.actor.organisation_id, page.actor.kind
    first = await first_month(conn, viewer, sold=wanted.sold)
    if not wanted.sold:
        buyers = [(page.visitor.organisation_name, viewer)]
        if kind is Kind.DISTRIBUTOR:
            contracts = [one for one in await contract_picker(conn, viewer) if not one.closed_at]
            buyers = [(one.details or "", one.id) for one in contracts]
        return _Side(first, [(name, draft_path(buyer, page.today)) for name, buyer in buyers])
    if not is_empty:
        return _Side(first)
    has_book = kind is Kind.OPERATOR or bool(await every_book(conn, viewer))
    settings = (await seller_settings(conn, viewer)).settings
    return _Side(first, has_book=has_book, freezes_on=month_after(page.today).replace(day=settings.freeze_day))

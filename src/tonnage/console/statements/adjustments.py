"""The list of the adjustments of what an organisation has sold, or bought."""

from datetime import date

from fastapi import APIRouter
from starlette.responses import Response

from tonnage.console.page_request import AnyMember
from tonnage.console.statements.paging import ListPage, list_page
from tonnage.console.statements.paths import ADJUSTMENTS, earlier_month
from tonnage.console.statements.search import OPEN, month_choices, read_adjustment_search
from tonnage.console.tables.adjustments import BOUGHT_TABLE, SOLD_TABLE
from tonnage.db import Connection
from tonnage.lists import LAST_PAGE, Position
from tonnage.statements.adjustment_lists import (
    AdjustmentRow,
    adjustment_rows,
    every_adjustment,
    first_corrected_month,
)
from tonnage.web.routing import AuthFirstRoute

routes = APIRouter(prefix=ADJUSTMENTS, route_class=AuthFirstRoute, include_in_schema=False)


@routes.get("")
async def adjustments(page: AnyMember) -> Response:
    """The newest first, without a total, as the list of statements."""
    wanted, viewer = read_adjustment_search(page.actor, page.request.query_params), page.actor.organisation_id

    async def read(conn: Connection) -> tuple[ListPage[AdjustmentRow], date | None]:
        async def rows(position: Position, most: int) -> list[AdjustmentRow]:
            return await adjustment_rows(conn, viewer, wanted.filter, position, most)

        found = await list_page(rows, wanted.position)
        return found, await first_corrected_month(conn, viewer, sold=wanted.sold)

    found, first = await page.database.run(read)
    table = SOLD_TABLE if wanted.sold else BOUGHT_TABLE
    last = earlier_month(page.today.replace(day=1)) or page.today
    return page.render(
        "statements/adjustments.html",
        wanted=wanted,
        found=found,
        list=table.whole(page, ADJUSTMENTS, found.rows, row_path=f"{ADJUSTMENTS}/"),
        OPEN=OPEN,
        months=month_choices(first, last, wanted.month),
        last_page=LAST_PAGE,
    )


@routes.get(".csv")
async def adjustments_file(page: AnyMember) -> Response:
    """The same list, whole."""
    wanted = read_adjustment_search(page.actor, page.request.query_params)
    table = SOLD_TABLE if wanted.sold else BOUGHT_TABLE
    return await table.file(page, every_adjustment, page.actor.organisation_id, wanted.filter)

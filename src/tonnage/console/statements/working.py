"""The working of a line: the days or the lines that it is computed from, and how."""

from datetime import date
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from tonnage.billing.buyer import statement_id
from tonnage.console.page_request import AnyMember, PageRequest
from tonnage.console.statements.basis import ShownBasis
from tonnage.console.statements.paths import PATH, adjustment_path
from tonnage.console.statements.shown import LINES_AT_ONCE, ShownStatement, first_shown
from tonnage.console.statements.statement import download, file_name
from tonnage.documents.lines_csv import working_csv
from tonnage.statements.actions import find_working
from tonnage.statements.statement import line_number
from tonnage.web.routing import AuthFirstRoute

routes = APIRouter(prefix=f"{PATH}/{{statementID}}/lines/{{line}}", route_class=AuthFirstRoute, include_in_schema=False)


@routes.get("")
async def show(page: AnyMember, statementID: str, line: str) -> Response:
    """How the line is computed, its days or lines, and in the last row the line."""
    document, working = await _read(page, statementID, line)
    shown, given, days = ShownStatement(page, document), working["line"], working["days"]
    basis = ShownBasis(shown, working)
    start = first_shown(page.request.query_params.get("from", ""), len(basis.lines))
    return page.render(
        "statements/working.html",
        shown=shown,
        line=shown.line(given),
        product=given["product"],
        may_credit=shown.may_be_credited and not given["amount"].startswith("-"),
        adjustment=adjustment_path(given["adjustment"]) if given.get("adjustment") else None,
        working=working,
        days=[(date.fromisoformat(day["day"]), day["used"], day["capacity"], day["quantity"]) for day in days],
        basis=basis,
        start=start,
        base_lines=[shown.line(document["lines"][no - 1]) for no in basis.lines[start : start + LINES_AT_ONCE]],
        page_size=LINES_AT_ONCE,
        is_shared=sum(day["quantity"] for day in days) != given["byteDays"],
    )


@routes.get("/working.csv")
async def working_file(page: AnyMember, statementID: str, line: str) -> Response:
    """The same as a file."""
    document, working = await _read(page, statementID, line)
    name = f"{file_name(document)}-line-{working['line']['no']}.csv"
    await page.record_export(name)
    return download(working_csv(working, page.formats.number_format), name, "text/csv")


async def _read(page: PageRequest, text: str, line: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The statement and the working, as JSON."""
    number, wanted = line_number(line), statement_id(text)
    return await find_working(page.database, page.actor.organisation_id, wanted, number, page.business_now)

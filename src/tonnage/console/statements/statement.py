"""The page of a statement, its lines as a file, and its document."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from tonnage.access.actor import Role
from tonnage.billing.buyer import DraftId, frozen_id, statement_id
from tonnage.console.page_request import AnyMember, PageRequest
from tonnage.console.rendering import said
from tonnage.console.statements.blocked import why_blocked
from tonnage.console.statements.paths import PATH, draft_path, earlier_month, later_month, path_of, prices_path
from tonnage.console.statements.shown import LINES_AT_ONCE, ShownStatement, first_shown
from tonnage.documents.lines_csv import statement_csv
from tonnage.lists import FIRST_PAGE
from tonnage.statements.actions import find_document, find_frozen, look_at_draft, pdf_of
from tonnage.statements.frozen_queries import frozen_id_of
from tonnage.statements.lists import StatementFilter, StatementRow, statement_rows
from tonnage.statements.statement import Draft
from tonnage.web.routing import AuthFirstRoute

routes = APIRouter(prefix=f"{PATH}/{{statementID}}", route_class=AuthFirstRoute, include_in_schema=False)

_MOST_NOTES = 100
"""Credit notes shown on the page of their statement."""


@routes.get("")
async def show(page: AnyMember, statementID: str) -> Response:
    """Like the paper, each line with a link to its working. The draft of a month that is frozen redirects to the frozen
    statement."""
    match statement_id(statementID):
        case UUID() as found:
            frozen = await page.database.run(find_frozen, page.actor.organisation_id, found)
            shown = ShownStatement(page, frozen.document(page.today))
            notes = await _credit_notes(page, shown) if frozen.credited else ()
            return _page(shown, notes)
        case DraftId() as found:
            return await _draft(page, found)


async def _credit_notes(page: PageRequest, shown: ShownStatement) -> Sequence[StatementRow]:
    chosen = StatementFilter(shown.is_sold, original=UUID(shown.id))
    viewer = page.actor.organisation_id
    return await page.database.run(statement_rows, viewer, chosen, page.today, FIRST_PAGE, _MOST_NOTES)


async def _draft(page: PageRequest, draft_id: DraftId) -> Response:
    viewer = page.actor.organisation_id
    frozen = await page.database.run(frozen_id_of, viewer, draft_id.buyer_id, draft_id.first)
    if frozen is not None:
        return page.redirect(path_of(frozen))
    buyer, found = await page.database.transaction(look_at_draft, viewer, draft_id, page.business_now)
    if isinstance(found, Draft):
        return _page(ShownStatement(page, found.document()))
    return page.render(
        "statements/no_draft.html",
        buyer=buyer,
        why=said(found),
        prices=prices_path(page.actor.kind, buyer.id) if buyer.seller_id == viewer else None,
        may_adjust=buyer.seller_id == viewer and page.actor.role is Role.ADMIN,
        first=draft_id.first,
        **_months(page, draft_id),
    )


def _page(shown: ShownStatement, notes: Sequence[StatementRow] = ()) -> Response:
    page = shown.page
    count = len(shown.document["lines"])
    start = first_shown(page.request.query_params.get("from", ""), count)
    return page.render(
        "statements/statement.html",
        shown=shown,
        start=start,
        lines=shown.lines(slice(start, start + LINES_AT_ONCE)),
        count=count,
        page_size=LINES_AT_ONCE,
        may_pay=shown.may_be_paid,
        blocked=why_blocked(reason) if shown.is_sold and (reason := shown.document.get("blocked")) else None,
        may_adjust=shown.is_sold and page.actor.role is Role.ADMIN and not shown.is_credit_note,
        notes=notes,
        **_months(page, DraftId(shown.buyer_id, shown.first)),
    )


def _months(page: PageRequest, of: DraftId) -> dict[str, Any]:
    """The same buyer's months before and after, with their paths."""
    before, after = earlier_month(of.first), later_month(of.first, page.today)
    return {
        name: (month, draft_path(of.buyer_id, month)) if month else None
        for name, month in (("before", before), ("after", after))
    }


@routes.get("/lines.csv")
async def lines_file(page: AnyMember, statementID: str) -> Response:
    """All lines, with the names of the JSON as columns."""
    wanted = statement_id(statementID)
    document = await find_document(page.database, page.actor.organisation_id, wanted, page.business_now)
    name = f"{file_name(document)}.csv"
    await page.record_export(name)
    return download(statement_csv(document, page.formats.number_format), name, "text/csv")


@routes.get("/statement.pdf")
async def pdf(page: AnyMember, statementID: str) -> Response:
    """The document that was made first."""
    found = frozen_id(statementID)
    document = await pdf_of(page.database, page.actor.organisation_id, found, page.business_now)
    return download(document, f"statement-{found}.pdf", "application/pdf")


def file_name(document: dict[str, Any]) -> str:
    """Of files about a statement, without their ending: its number, else what identifies the draft."""
    number = document["number"]
    return f"statement-{number.replace('/', '-').replace(' ', '-')}" if number else f"statement-{document['id']}"


def download(content: bytes, name: str, media_type: str) -> Response:
    """A file that browsers keep."""
    return Response(content, media_type=media_type, headers={"Content-Disposition": f'attachment; filename="{name}"'})

"""Statements: what buyers are charged for a month."""

import json
from datetime import date
from typing import Annotated, Any, Literal, TypeAlias

from fastapi import APIRouter, Body, Query
from pydantic import BeforeValidator, WithJsonSchema
from starlette.responses import Response

from tonnage.api_keys.guard import AnyAdmin, AnyViewer, ApiRequest
from tonnage.billing.buyer import frozen_id, statement_id
from tonnage.documents.lines_csv import statement_csv, working_csv
from tonnage.error_codes import ConflictCode, RequestCode
from tonnage.errors import Sentence
from tonnage.idempotency.idempotent_route import IdempotentRoute
from tonnage.statements import actions
from tonnage.statements.api.documents import ListedStatementResponse, StatementResponse
from tonnage.statements.frozen import Payment
from tonnage.statements.lists import StatementFilter, statements_of
from tonnage.statements.queries import drafts_of
from tonnage.statements.statement import line_number, without_nulls
from tonnage.utc import day_of, parse_month
from tonnage.web.error_responses import refusals
from tonnage.web.json_list import JsonListResponse, Paging, SingleRow
from tonnage.web.responses import Json, NoContent
from tonnage.web.schemas import Day, RequestModel, Text, UuidPath, with_example
from tonnage.workings.response import WorkingResponse

routes = APIRouter(prefix="/ext/v1", route_class=IdempotentRoute, tags=["Statements"])


def _month(text: object) -> date:
    first = parse_month(str(text))
    if first is None:
        raise ValueError(Sentence("must be a month, such as 2026-11"))
    return first


MonthText: TypeAlias = Annotated[
    date, BeforeValidator(_month, json_schema_input_type=str), WithJsonSchema({"type": "string"})
]


_CSV: dict[str, Any] = {
    "content": {"text/csv": {"schema": {"type": "string"}}},
    "description": "A CSV file, UTF-8, with a header.",
}


class PaymentReqBody(RequestModel):
    """That a statement was paid."""

    model_config = with_example({"paidOn": "2026-12-17", "reference": "Bank statement 243, line 4"})

    paid_on: Day
    """The day, UTC; not later than today."""
    reference: Text
    """What the payment can be found by: 1 to 200 characters."""


@routes.get("/statements", responses={200: {"model": list[ListedStatementResponse]}})
async def list_statements(
    call: AnyViewer,
    page: Paging,
    month: Annotated[MonthText | None, Query(description="A month, such as 2026-11.")] = None,
    role: Annotated[
        Literal["seller", "buyer"] | None, Query(description="Whether you have sold or bought them. Without it: both.")
    ] = None,
    state: Annotated[
        Literal["draft", "frozen", "issued", "overdue", "paid", "credited", "void"] | None,
        Query(description="Whether they are paid, were due, or are taken back. `draft`: what is not frozen yet."),
    ] = None,
    original: Annotated[UuidPath | None, Query(description="The credit notes of a statement, by its id.")] = None,
) -> Response:
    """List your statements and credit notes.

    The frozen ones that you have sold and those that you have bought, in the order in which they were made. `role`
    chooses one side, `month` (`2026-11`) a month. With the state `draft` it lists what your buyers are charged so far
    (`role=buyer`: what you are) for the running month or the one before, as far as that is not frozen, in the order in
    which the buyers were made: the lines of use, as of `computedAt`. Adjustments and taxes are in the draft itself.
    """
    if state == "draft":
        first = month or day_of(call.now).replace(day=1)
        drafts = drafts_of(call.actor.organisation_id, call.actor.kind, first, sold=role != "buyer")
        return JsonListResponse(call.database.streams, page, drafts, at_once=SingleRow(call.database.run))
    chosen = StatementFilter(None if role is None else role == "seller", month, state, original=original)
    select = statements_of(call.actor.organisation_id, chosen, day_of(call.now))
    return JsonListResponse(call.database.streams, page, select, at_once=SingleRow(call.database.run))


@routes.get(
    "/statements/{statementID}.pdf",
    responses={
        200: {
            "content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}}},
            "description": "A PDF/A-3b file.",
        }
    },
    openapi_extra=refusals(RequestCode.NOT_FOUND),
    response_class=Response,
)
async def get_pdf(call: AnyViewer, statementID: str) -> Response:
    """Get a frozen statement as a PDF.

    The document that was made first stays the same, to the last byte.
    """
    pdf = await actions.pdf_of(call.database, call.actor.organisation_id, frozen_id(statementID), call.now)
    return Response(pdf, media_type="application/pdf")


@routes.get(
    "/statements/{statementID}.csv",
    responses={200: _CSV},
    openapi_extra=refusals(RequestCode.NOT_FOUND, ConflictCode.OTHER_CURRENCY),
    response_class=Response,
)
async def get_csv(call: AnyViewer, statementID: str) -> Response:
    """Get the lines of a statement as CSV.

    A row for each line, with the names of the JSON as columns.
    """
    wanted = statement_id(statementID)
    found = await actions.find_document(call.database, call.actor.organisation_id, wanted, call.now)
    return Response(statement_csv(found), media_type="text/csv")


@routes.get(
    "/statements/{statementID}",
    responses={200: {"model": StatementResponse}},
    openapi_extra=refusals(RequestCode.NOT_FOUND, ConflictCode.OTHER_CURRENCY),
)
async def get_statement(call: AnyViewer, statementID: str) -> Response:
    """Get a statement.

    A frozen one, or the draft of one: what you charge a buyer for a month, or are charged yourself, as it is now. Of
    the running month that is the month to date. By the id of a draft whose month is frozen you get the frozen one.
    """
    wanted = statement_id(statementID)
    return _json(await actions.find_document(call.database, call.actor.organisation_id, wanted, call.now))


@routes.get(
    "/statements/{statementID}/lines/{line}/working",
    responses={200: {"model": WorkingResponse}},
    openapi_extra=refusals(RequestCode.NOT_FOUND, ConflictCode.OTHER_CURRENCY),
)
async def get_working(call: AnyViewer, statementID: str, line: str) -> Response:
    """Get the working of a line.

    The days with the line's price: what was used, what was allocated, and what is charged of it. Of a discount and a
    minimum charge the lines that it is computed from, with the percentage or the minimum; of a minimum of pay-per-use
    and of prices by quantity the minimum or the band besides.
    """
    return _json(await _working(call, statementID, line))


@routes.get(
    "/statements/{statementID}/lines/{line}/working.csv",
    responses={200: _CSV},
    openapi_extra=refusals(RequestCode.NOT_FOUND, ConflictCode.OTHER_CURRENCY),
    response_class=Response,
)
async def get_working_csv(call: AnyViewer, statementID: str, line: str) -> Response:
    """Get the working of a line as CSV.

    A row for each day or each line that it is computed from, and in the last row the line itself. Before it a row with
    percentage, minimum or band, for lines that have one.
    """
    return Response(working_csv(await _working(call, statementID, line)), media_type="text/csv")


async def _working(call: ApiRequest, statementID: str, line: str) -> dict[str, Any]:
    number, wanted = line_number(line), statement_id(statementID)
    viewer = call.actor.organisation_id
    return (await actions.find_working(call.database, viewer, wanted, number, call.now))[1]


@routes.post(
    "/statements/{statementID}/payment",
    status_code=204,
    openapi_extra=refusals(RequestCode.NOT_FOUND, ConflictCode.STATEMENT_PAID, ConflictCode.STATEMENT_STATE),
)
async def pay_statement(call: AnyAdmin, statementID: str, payment: Annotated[PaymentReqBody, Body()]) -> Response:
    """Mark a statement as paid.

    By its seller, once.
    """
    details = Payment.read(payment.paid_on, payment.reference, day_of(call.now))
    await call.database.run(actions.pay, call.actor, frozen_id(statementID), details)
    return NoContent()


def _json(document: dict[str, Any]) -> Response:
    return Json(json.dumps(without_nulls(document), ensure_ascii=False).encode())

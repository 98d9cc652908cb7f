"""Credit notes, and statements that are void, by the API."""

import json
from typing import Annotated

from fastapi import APIRouter, Body
from pydantic import Field
from starlette.responses import Response

from tonnage.api_keys.guard import AnyAdmin
from tonnage.billing.buyer import frozen_id
from tonnage.credit_notes import actions
from tonnage.credit_notes.credit_note import summary
from tonnage.credit_notes.new_credit_note import LineAmount
from tonnage.error_codes import ConflictCode, RequestCode, UnavailableCode
from tonnage.idempotency.idempotent_route import IdempotentRoute
from tonnage.web.error_responses import refusals
from tonnage.web.responses import Json, NoContent
from tonnage.web.schemas import RequestModel, ResponseModel, Text, UuidText, with_example

routes = APIRouter(prefix="/ext/v1", route_class=IdempotentRoute, tags=["Statements"])


class CreditedLineReqBody(RequestModel):
    """How much of a line is taken back."""

    model_config = with_example({"no": 1, "amount": "12.50"})

    no: int
    """The number of the line in the statement."""
    amount: Text
    """In the major unit, before taxes, as decimal text, with the sign of the line."""


class CreditNoteReqBody(RequestModel):
    """What is taken back of a statement."""

    model_config = with_example({"lines": [{"no": 1, "amount": "12.50"}], "reason": "Not available on 12 December"})

    lines: Annotated[list[CreditedLineReqBody], Field(max_length=1000)] | None = None
    """Amounts of single lines, at most 1000. Without them: all that is left."""
    reason: Text
    """Printed on the credit note: 1 to 200 characters."""


class CreditNoteResponse(ResponseModel):
    """A credit note. Its lines, taxes and parties are those of the statement with its id."""

    model_config = with_example(
        {
            "id": "c2d7a5a0-7d0c-4b53-9f5e-6d1b2f3c4a55",
            "number": "INV-2026-00013",
            "original": "5a0c7d3e-8a53-4a52-9e0a-5a5a2f6f2f11",
            "originalNumber": "INV-2026-00012",
            "month": "2026-11",
            "currency": "EUR",
            "net": "-12.50",
            "gross": "-14.88",
            "reason": "Not available on 12 December",
        }
    )

    id: UuidText
    """Its id, which is that of a statement."""
    number: str
    """Its number in the seller's series."""
    original: UuidText
    """The id of the statement that it takes back."""
    originalNumber: str
    """The number of that."""
    month: str
    """The month of that, UTC."""
    currency: str
    """The currency of its amounts, as three letters (ISO 4217)."""
    net: str
    """The sum of its lines, as decimal text; below zero."""
    gross: str
    """With taxes."""
    reason: str
    """Why it was made."""


class VoidReqBody(RequestModel):
    """Why a statement is void."""

    model_config = with_example({"reason": "Sent to the wrong company"})

    reason: Text
    """For the seller and the buyer: 1 to 200 characters."""


@routes.post(
    "/statements/{statementID}/credit-notes",
    status_code=201,
    responses={201: {"model": CreditNoteResponse}},
    openapi_extra=refusals(
        RequestCode.NOT_FOUND,
        ConflictCode.CREDIT_TOO_HIGH,
        ConflictCode.STATEMENT_STATE,
        ConflictCode.FREEZE_IN_PROGRESS,
        ConflictCode.NUMBER_TAKEN,
        UnavailableCode.ON_HOLD,
        UnavailableCode.NUMBERS_NOT_RECORDED,
    ),
)
async def create_credit_note(call: AnyAdmin, statementID: str, note: Annotated[CreditNoteReqBody, Body()]) -> Response:
    """Issue a credit note.

    Takes back amounts of a statement's lines, or all that is left of it, with their taxes. The credit note is a
    statement of its own, with a number and a document, and sums below zero; the statement itself does not change. All
    credit notes of a statement together never exceed it, to the last cent.
    """
    lines = None if note.lines is None else [LineAmount(one.no, one.amount) for one in note.lines]
    made = await actions.issue_credit_note(
        call.services, call.actor, frozen_id(statementID), lines, note.reason, call.now
    )
    return Json(json.dumps(summary(made), ensure_ascii=False).encode(), 201)


@routes.post(
    "/statements/{statementID}/void",
    status_code=204,
    openapi_extra=refusals(
        RequestCode.NOT_FOUND,
        ConflictCode.STATEMENT_PAID,
        ConflictCode.STATEMENT_STATE,
        ConflictCode.FREEZE_IN_PROGRESS,
    ),
)
async def void_statement(call: AnyAdmin, statementID: str, void: Annotated[VoidReqBody, Body()]) -> Response:
    """Make a statement void.

    It keeps its number, and counts nowhere from then on. The next freeze of its month makes another one for the buyer,
    with the addresses and prices of then. For a statement that its buyer has not booked; one that it has is taken back
    by a credit note.
    """
    await call.database.transaction(actions.void_statement, call.actor, frozen_id(statementID), void.reason, call.now)
    return NoContent()

"""Adjustments: what is added to the next statement of a buyer."""

import json
from typing import Annotated, Literal, TypeAlias
from uuid import UUID

from fastapi import APIRouter, Body, Query
from pydantic import BeforeValidator, WithJsonSchema
from starlette.responses import Response

from tonnage.api_keys.guard import AnyAdmin, AnyViewer
from tonnage.billing.buyer import read_buyer_id
from tonnage.billing.line import SubjectId
from tonnage.error_codes import RequestCode
from tonnage.errors import Sentence
from tonnage.idempotency.idempotent_route import IdempotentRoute
from tonnage.statements import adjustment_actions
from tonnage.statements.adjustment_lists import adjustments_of
from tonnage.statements.api.documents import LINE, LineResponse
from tonnage.statements.statement import without_nulls
from tonnage.web.error_responses import refusals
from tonnage.web.json_list import JsonListResponse, Paging, SingleRow
from tonnage.web.responses import Json
from tonnage.web.schemas import RequestModel, ResponseModel, Text, TimestampText, UuidPath, UuidText, with_example

routes = APIRouter(prefix="/ext/v1", route_class=IdempotentRoute, tags=["Statements"])

_ADJUSTMENT = {
    "id": "0c7a6f4b-7f0d-4a5e-9f2c-0d3c2d1b0a98",
    "seller": "7e1fe78d-3f61-4215-8c48-eda9e1b08f13",
    "buyer": "4b14e456-ef23-46ed-9070-f5eaf1b5ef04",
    "buyerName": "New partner company",
    "level": "partner",
    "currency": "EUR",
    "amount": "-5.00",
    "remaining": "-5.00",
    "reason": "Goodwill for the outage on 12 December",
    "createdAt": "2026-12-14T09:30:00Z",
}

_PART = {
    "id": "5a0c7d3e-8a53-4a52-9e0a-5a5a2f6f2f11",
    "number": "INV-2026-00012",
    "month": "2026-12",
    "amount": "-5.00",
}

_CORRECTION = {
    **{name: value for name, value in _ADJUSTMENT.items() if name != "reason"},
    "month": "2026-11",
    "remaining": "0.00",
    "sellerName": "Test distributor",
    "statements": [_PART],
    "statement": "b9f7a2f0-6a27-4a0e-8a32-0d1f3a2c9b11",
    "statementNumber": "INV-2026-00004",
    "before": [{**LINE, "amount": "55.00", "quantityGbMonths": "550", "byteDays": 16_500_000_000_000}],
    "after": [LINE],
}


def _buyer_id(text: object) -> SubjectId:
    found = read_buyer_id(str(text))
    if found is None:
        raise ValueError(Sentence("must be the id of a contract, a partner or a storage account"))
    return found


BuyerIdText: TypeAlias = Annotated[
    UUID | int, BeforeValidator(_buyer_id, json_schema_input_type=str), WithJsonSchema({"type": "string"})
]


class AdjustmentReqBody(RequestModel):
    """An amount that the next statement of a buyer has."""

    model_config = with_example(
        {
            "buyer": "4b14e456-ef23-46ed-9070-f5eaf1b5ef04",
            "amount": "-5.00",
            "reason": "Goodwill for the outage on 12 December",
        }
    )

    buyer: BuyerIdText
    """The id of the contract, the partner or the storage account that you charge."""
    amount: Text
    """In the major unit, as decimal text; below zero the buyer is charged less."""
    currency: Text | None = None
    """Three letters (ISO 4217). Without it: that of the buyer's prices."""
    reason: Text
    """Printed on the statement: 1 to 200 characters."""


class AdjustmentResponse(ResponseModel):
    """What is added to the next statement of a buyer."""

    model_config = with_example(_ADJUSTMENT)

    id: UuidText
    """Its id."""
    seller: UuidText
    """The id of the organisation that charges."""
    buyer: str
    """The id of the contract, the partner or the storage account that is charged."""
    buyerName: str
    """Its name."""
    level: Literal["contract", "partner", "account"]
    """What the buyer is."""
    currency: str
    """As three letters (ISO 4217)."""
    amount: str
    """In the major unit, as decimal text, before taxes; below zero the buyer is charged less."""
    remaining: str
    """What no frozen statement has of it yet. A statement does not fall below zero: the rest is for the next one."""
    reason: str | None = None
    """Why a person made it. Missing where a frozen month was computed again."""
    month: str | None = None
    """The frozen month that was computed again, because usage, terms or prices of it had changed."""
    createdAt: TimestampText
    """When it was made, UTC."""


class AdjustedStatementResponse(ResponseModel):
    """A part of an adjustment, in a statement."""

    model_config = with_example(_PART)

    id: UuidText
    """The id of the statement."""
    number: str
    """Its number."""
    month: str
    """Its month, UTC."""
    amount: str
    """What it has of the adjustment, as decimal text, before taxes."""


class AdjustmentDetailResponse(AdjustmentResponse):
    """The same, with how it came about, and what became of it."""

    model_config = with_example(_CORRECTION)

    sellerName: str
    """The name of the seller."""
    statements: list[AdjustedStatementResponse]
    """The frozen statements that have a part of it, and the credit notes that take it back."""
    statement: UuidText | None = None
    """The id of the frozen statement that was computed again. Missing where the buyer had none of the month; and of
    what a person made, like all that follows."""
    statementNumber: str | None = None
    """The number of that."""
    before: list[LineResponse] | None = None
    """The lines of the frozen month as they were."""
    after: list[LineResponse] | None = None
    """Its lines as they are now. The amount is the difference of the sums."""


@routes.post(
    "/adjustments",
    status_code=201,
    responses={201: {"model": AdjustmentResponse}},
    openapi_extra=refusals(RequestCode.NOT_FOUND),
)
async def create_adjustment(call: AnyAdmin, adjustment: Annotated[AdjustmentReqBody, Body()]) -> Response:
    """Adjust the next statement of a buyer.

    Adds an amount to it, or takes it off, before taxes. What does not fit into one statement, because that would fall
    below zero, remains for the one after it.
    """
    made = await call.database.transaction(
        adjustment_actions.create_adjustment,
        call.actor,
        adjustment.buyer,
        adjustment.amount,
        adjustment.currency,
        adjustment.reason,
        call.now,
    )
    return Json(made, 201)


@routes.get("/adjustments", responses={200: {"model": list[AdjustmentResponse]}})
async def list_adjustments(
    call: AnyViewer,
    page: Paging,
    buyer: Annotated[
        BuyerIdText | None, Query(description="The id of a contract, a partner or a storage account.")
    ] = None,
    state: Annotated[
        Literal["open"] | None, Query(description="`open`: those that remain, as a whole or in part.")
    ] = None,
) -> Response:
    """List your adjustments.

    Those of your buyers, in the order in which they were made: by you, and of frozen months.
    """
    select = adjustments_of(call.actor.organisation_id, buyer, is_open=state is not None)
    return JsonListResponse(call.database.streams, page, select, at_once=SingleRow(call.database.run))


@routes.get(
    "/adjustments/{adjustmentID}",
    responses={200: {"model": AdjustmentDetailResponse}},
    openapi_extra=refusals(RequestCode.NOT_FOUND),
)
async def get_adjustment(call: AnyViewer, adjustmentID: UuidPath) -> Response:
    """Get an adjustment.

    For its seller and its buyer: with the statements that have it, and of a frozen month with the lines before and
    after it was computed again.
    """
    found = await call.database.run(adjustment_actions.find_adjustment, call.actor.organisation_id, adjustmentID)
    return Json(json.dumps(without_nulls(found), ensure_ascii=False).encode())

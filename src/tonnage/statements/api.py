"""Statements: what buyers are charged for a month."""

import json
from typing import Any, Literal, cast

from fastapi import APIRouter
from pydantic import Field
from starlette.responses import Response

from tonnage.api_keys.guard import AnyViewer
from tonnage.error_codes import ConflictCode, RequestCode
from tonnage.statements import actions
from tonnage.statements.buyer import DraftId
from tonnage.statements.statement import line_number, working_document
from tonnage.web.error_responses import refusals
from tonnage.web.responses import Json
from tonnage.web.routing import ApiRoute
from tonnage.web.schemas import Bytes, DayText, ResponseModel, UuidText, with_example

routes = APIRouter(prefix="/ext/v1", route_class=ApiRoute, tags=["Statements"])

_LINE = {
    "no": 1,
    "product": "excess",
    "subject": "4b14e456-ef23-46ed-9070-f5eaf1b5ef04",
    "subjectName": "New partner company",
    "contract": "606f031c-0f85-4444-8c7d-4a8f1ede7cd3",
    "quantityGbMonths": "500",
    "byteDays": 15_000_000_000_000,
    "unitPrice": "10",
    "amount": "50.00",
    "from": "2026-11-01",
    "to": "2026-11-30",
}


class LineResponse(ResponseModel):
    """One subject, one product, one unit price under one contract."""

    model_config = with_example(_LINE)

    no: int
    """Its number in the statement."""
    product: str
    """`reserved`, `excess`, `pay_per_use`, `egress`, `capacity_minimum`, `discount` or `minimum_charge`."""
    subject: str
    """The id of the contract, the partner or the storage account that it is about."""
    subjectName: str
    """The name of that."""
    contract: str | None = None
    """The contract. Missing for storage accounts."""
    quantityGbMonths: str | None = None
    """GB-months, of egress GB, rounded to 9 decimal places. Like the next two, missing of a discount and a minimum
    charge."""
    byteDays: Bytes | None = None
    """The exact quantity: bytes times days, of egress bytes."""
    unitPrice: str | None = None
    """Hundredths of the major unit per GB-month, of egress per GB, as decimal text."""
    amount: str
    """In the major unit, as decimal text, rounded once. Every total is a sum of lines."""
    first: DayText = Field(alias="from")
    """The first day with that price."""
    last: DayText = Field(alias="to")
    """The last day with that price."""


class TaxResponse(ResponseModel):
    """A tax on the sum of lines."""

    category: str
    """The category by EN 16931, such as `S` or `AE`."""
    rate: str
    """Percent, as decimal text."""
    base: str
    """The sum that it is on."""
    amount: str
    """The tax."""


class StatementResponse(ResponseModel):
    """A buyer's month."""

    model_config = with_example(
        {
            "id": "draft-4b14e456-ef23-46ed-9070-f5eaf1b5ef04-2026-11",
            "seller": "7e1fe78d-3f61-4215-8c48-eda9e1b08f13",
            "sellerName": "Test distributor",
            "buyer": "4b14e456-ef23-46ed-9070-f5eaf1b5ef04",
            "buyerName": "New partner company",
            "level": "partner",
            "month": "2026-11",
            "currency": "EUR",
            "state": "draft",
            "through": "2026-11-30",
            "lines": [_LINE],
            "net": "50.00",
            "taxes": [],
            "gross": "50.00",
        }
    )

    id: str
    """Its id: of a draft `draft-`, the id of the buyer, and the month."""
    seller: UuidText
    """The id of the organisation that charges."""
    sellerName: str
    """Its name."""
    buyer: str
    """The id of the contract, the partner or the storage account that is charged."""
    buyerName: str
    """Its name."""
    level: Literal["contract", "partner", "account"]
    """What the buyer is."""
    month: str
    """The month, UTC: `2026-11`."""
    currency: str
    """The currency of its amounts, as three letters (ISO 4217)."""
    state: Literal["draft"]
    """A draft is computed whenever it is looked at."""
    through: DayText
    """The last day that it counts: today, or the last one of the month."""
    lines: list[LineResponse]
    """The lines, as people read them."""
    net: str
    """The sum of the lines, as decimal text."""
    taxes: list[TaxResponse]
    """The taxes. None of a draft."""
    gross: str
    """With taxes."""


class WorkingDayResponse(ResponseModel):
    """A day of a line. All in bytes."""

    day: DayText
    """The day, UTC."""
    used: Bytes
    """What was stored, of egress what was sent."""
    capacity: Bytes
    """What was reserved or allocated at its end; 0 is pay-per-use."""
    quantity: Bytes
    """What is charged of the day."""


class WorkingResponse(ResponseModel):
    """The working of a line: how its quantity comes about."""

    model_config = with_example(
        {
            "line": _LINE,
            "currency": "EUR",
            "daysOfMonth": 30,
            "days": [
                {
                    "day": "2026-11-01",
                    "used": 1_500_000_000_000,
                    "capacity": 1_000_000_000_000,
                    "quantity": 500_000_000_000,
                }
            ],
        }
    )

    line: LineResponse
    """The line."""
    currency: str
    """The currency of its amount."""
    daysOfMonth: int
    """The days of the calendar month, by which byte-days become GB-months."""
    days: list[WorkingDayResponse]
    """The days with the line's price. None of a discount and a minimum charge."""


@routes.get(
    "/statements/{statementID}",
    responses={200: {"model": StatementResponse}},
    openapi_extra=refusals(RequestCode.NOT_FOUND, ConflictCode.OTHER_CURRENCY),
)
async def get_statement(call: AnyViewer, statementID: str) -> Response:
    """Get the draft of a statement.

    What you charge a buyer for a month, or are charged yourself, as it is now: of the running month the month to date.
    """
    found = DraftId.read(statementID)
    shown = await call.database.transaction(actions.find_draft, call.actor.organisation_id, found, call.now)
    return _json(shown.document())


@routes.get(
    "/statements/{statementID}/lines/{line}/working",
    responses={200: {"model": WorkingResponse}},
    openapi_extra=refusals(RequestCode.NOT_FOUND, ConflictCode.OTHER_CURRENCY),
)
async def get_working(call: AnyViewer, statementID: str, line: str) -> Response:
    """Get the working of a line.

    The days with the line's price: what was used, what was allocated, and what is charged of it.
    """
    found, number = DraftId.read(statementID), line_number(line)
    shown, days = await call.database.transaction(actions.working, call.actor.organisation_id, found, number, call.now)
    return _json(working_document(shown, number, days))


def _json(document: dict[str, Any]) -> Response:
    return Json(json.dumps(_without_nulls(document), ensure_ascii=False).encode())


def _without_nulls(value: Any) -> Any:
    match value:
        case dict():
            members = cast("dict[str, Any]", value).items()
            return {name: _without_nulls(member) for name, member in members if member is not None}
        case list():
            return [_without_nulls(element) for element in cast("list[Any]", value)]
        case _:
            return value

"""Months: what was sold and bought, and what keeps statements from being frozen."""

import json
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from tonnage.api_keys.guard import AnyAdmin, AnyViewer
from tonnage.billing.buyer import month_in, require_begun
from tonnage.error_codes import ConflictCode, RequestCode, UnavailableCode
from tonnage.idempotency.idempotent_route import IdempotentRoute
from tonnage.month_end import freezing_actions
from tonnage.month_end.lists import month_of
from tonnage.utc import day_of
from tonnage.web.error_responses import refusals
from tonnage.web.responses import Json
from tonnage.web.schemas import ResponseModel, TimestampText, UuidText, with_example

routes = APIRouter(prefix="/ext/v1", route_class=IdempotentRoute, tags=["Statements"])


class MonthSumResponse(ResponseModel):
    """Frozen statements in one currency."""

    model_config = with_example(
        {"currency": "EUR", "statements": 12, "net": "1250.00", "gross": "1487.50", "paid": "900.00"}
    )

    currency: str
    """As three letters (ISO 4217)."""
    statements: int
    """Their number."""
    net: str
    """Their sum, as decimal text."""
    gross: str
    """With taxes."""
    paid: str
    """What is paid of that."""


class MonthNetResponse(ResponseModel):
    """An amount in one currency."""

    model_config = with_example({"currency": "EUR", "net": "450.00"})

    currency: str
    """As three letters (ISO 4217)."""
    net: str
    """Before taxes, as decimal text; a margin is negative where more was bought."""


class MonthSoFarResponse(ResponseModel):
    """What is charged for a month by no frozen statement yet."""

    model_config = with_example(
        {
            "sold": [{"currency": "EUR", "net": "484.48"}],
            "bought": [{"currency": "EUR", "net": "300.00"}],
            "computedAt": "2026-11-18T09:11:04Z",
        }
    )

    sold: list[MonthNetResponse]
    """What you sell, by currency, without adjustments and taxes."""
    bought: list[MonthNetResponse]
    """What you buy."""
    severalCurrencies: int | None = None
    """The number of buyers that are in no sum because their prices are in several currencies; missing without any."""
    computedAt: TimestampText
    """The moment of the oldest amount in the sums: they are computed every hour, and soon after terms or prices have
    changed."""


class MonthAdjustmentsResponse(ResponseModel):
    """Adjustments in one currency."""

    model_config = with_example({"currency": "EUR", "count": 3, "amount": "-12.40"})

    currency: str
    """As three letters (ISO 4217)."""
    count: int
    """Their number."""
    amount: str
    """Their sum before taxes, as decimal text; negative where the month is charged less."""


class BlockedResponse(ResponseModel):
    """A buyer whose statement could not be frozen."""

    model_config = with_example({"buyerName": "New partner company", "reason": "buyer_without_address"})

    buyerName: str
    """Its name."""
    reason: Literal[
        "seller_without_profile", "buyer_without_address", "seller_without_vat_id", "no_tax_rate", "other_currency"
    ]
    """What is missing: a billing profile of the seller or the buyer, the seller's VAT id, a tax rate for the month; or
    the buyer's prices are in several currencies."""


class GapResponse(ResponseModel):
    """Numbers that no statement has."""

    model_config = with_example({"numbers": "INV-2026-00013 to INV-2026-00020", "notedAt": "2026-12-05T08:30:00Z"})

    numbers: str
    """The first and the last of them."""
    notedAt: TimestampText
    """When the restored database was confirmed, UTC."""


class ProgressResponse(ResponseModel):
    """How far a freeze has come."""

    model_config = with_example({"stage": "compute", "done": 45000, "total": 100000})

    stage: Literal["compute", "check"]
    """First the statements of all buyers are computed, then each is computed again and compared."""
    done: int
    """How many are done in this stage, as of a second or two ago."""
    total: int
    """Of how many."""


class MonthResponse(ResponseModel):
    """A month of an organisation."""

    model_config = with_example(
        {
            "month": "2026-11",
            "state": "frozen",
            "sold": [{"currency": "EUR", "statements": 12, "net": "1250.00", "gross": "1487.50", "paid": "900.00"}],
            "bought": [{"currency": "EUR", "statements": 1, "net": "800.00", "gross": "952.00", "paid": "0.00"}],
            "margins": [{"currency": "EUR", "net": "450.00"}],
            "adjustments": [{"currency": "EUR", "count": 3, "amount": "-12.40"}],
            "blocked": [],
            "gaps": [],
        }
    )

    month: str
    """The month, UTC."""
    state: Literal["open", "over", "frozen"]
    """`open`: it is not over. `over`: nothing that you sold is frozen. `frozen`: statements are."""
    sold: list[MonthSumResponse]
    """The statements that you have sold, by currency."""
    bought: list[MonthSumResponse]
    """Those that you have bought."""
    soFar: MonthSoFarResponse | None = None
    """What is charged beside these: in the running month, and in the month before by statements that are not frozen.
    Missing where nothing is, and in older months, of which no sums are kept."""
    margins: list[MonthNetResponse]
    """Sold less bought, so far too, in each currency that both are in; none while `severalCurrencies` is there."""
    adjustments: list[MonthAdjustmentsResponse] = Field(default_factory=list[MonthAdjustmentsResponse])
    """The adjustments that correct what you have sold in the month, by currency: they are lines of later statements,
    and in no sum above."""
    blocked: list[BlockedResponse]
    """Buyers whose statements the last freeze could not freeze."""
    progress: ProgressResponse | None = None
    """While the month is being frozen."""
    gaps: list[GapResponse]
    """Numbers that are missing in your series since the month after: they may have been issued before the database was
    restored from a backup."""


class FreezeResponse(ResponseModel):
    """What a freeze has done."""

    model_config = with_example(
        {
            "month": "2026-11",
            "seller": "7e1fe78d-3f61-4215-8c48-eda9e1b08f13",
            "frozen": 12,
            "first": "INV-2026-00001",
            "last": "INV-2026-00012",
            "blocked": [],
        }
    )

    month: str
    """The month, UTC."""
    seller: UuidText
    """The id of the seller."""
    frozen: int
    """How many statements it has frozen; 0 if all were before."""
    first: str | None = None
    """The number of the first of them; missing without any."""
    last: str | None = None
    """The number of the last of them."""
    blocked: list[BlockedResponse]
    """Buyers whose statements could not be frozen."""


@routes.get("/months/{month}", responses={200: {"model": MonthResponse}}, openapi_extra=refusals(RequestCode.NOT_FOUND))
async def get_month(call: AnyViewer, month: str) -> Response:
    """Get a month.

    The sums of its frozen statements and of what corrects them, what is charged so far beside them, the margins, and
    the buyers whose statements could not be frozen.
    """
    first, today = month_in(month), day_of(call.now)
    require_begun(first, today)
    found = await call.database.run(month_of, call.actor, first, today, call.services.wall_clock())
    return Json(json.dumps(found.document(), ensure_ascii=False).encode())


@routes.post(
    "/months/{month}/freeze",
    responses={200: {"model": FreezeResponse}},
    openapi_extra=refusals(
        RequestCode.NOT_FOUND,
        ConflictCode.MONTH_NOT_OVER,
        ConflictCode.USAGE_INCOMPLETE,
        ConflictCode.FREEZE_IN_PROGRESS,
        ConflictCode.NUMBER_TAKEN,
        UnavailableCode.ON_HOLD,
        UnavailableCode.NUMBERS_NOT_RECORDED,
    ),
)
async def freeze_month(
    call: AnyAdmin,
    month: str,
    incomplete: Annotated[
        bool, Query(description="Whether to freeze it although a storage cluster has not been sampled since its end.")
    ] = False,
) -> Response:
    """Freeze a month.

    Your statements of a month that is over get their numbers, and never change again. What is frozen already stays as
    it is. Buyers whose statements cannot be frozen are listed with the reason, and can be frozen later by the same
    request. The response comes when all is done, and with many buyers that takes a while. If it is interrupted, send it
    again.
    """
    done = await freezing_actions.freeze(call.services, call.actor, month_in(month), call.now, incomplete=incomplete)
    return Json(done.json().encode())

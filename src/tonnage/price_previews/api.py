"""The preview of a version: what buyers would be charged under it."""

import json
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from tonnage.api_keys.guard import AnyViewer
from tonnage.idempotency.idempotent_route import IdempotentRoute
from tonnage.price_books.version import version_number
from tonnage.price_previews.actions import preview_part
from tonnage.web.json_list import ComputedListResponse, ComputedPaging
from tonnage.web.schemas import DayText, ResponseModel, UuidPath, with_example

routes = APIRouter(prefix="/ext/v1", route_class=IdempotentRoute, tags=["Prices"])


class BuyerPreviewResponse(ResponseModel):
    """What a buyer is charged for the running month so far, and what it would be under the version."""

    model_config = with_example(
        {
            "buyer": "4b14e456-ef23-46ed-9070-f5eaf1b5ef04",
            "buyerName": "New partner company",
            "level": "partner",
            "month": "2026-11",
            "from": "2026-11-01",
            "through": "2026-11-24",
            "currency": "EUR",
            "now": "50.00",
            "preview": "60.00",
            "difference": "10.00",
        }
    )

    buyer: str
    """The id of the contract, the partner or the storage account."""
    buyerName: str
    """Its name."""
    level: Literal["contract", "partner", "account"]
    """What the buyer is."""
    month: str
    """The running month, UTC: `2026-11`."""
    first: DayText = Field(alias="from")
    """The first day of it that has the prices of the version."""
    through: DayText
    """Its last day that counts: today."""
    currency: str
    """The currency of the amounts, as three letters (ISO 4217)."""
    now: str | None = None
    """What it is charged so far, before adjustments and tax, as decimal text. Like the next two, missing if there is a
    problem."""
    preview: str | None = None
    """What it would be charged under the version."""
    difference: str | None = None
    """How much more that is; below zero, how much less."""
    problem: Literal["no_price_book", "several_currencies", "too_many_partners"] | None = None
    """Why there are no amounts: no price book applied on a day that it was open; its prices of the month are in several
    currencies; or so many partners are under the contract that only the command line computes it."""


Whole = Annotated[
    bool, Query(description="Whether every day of the month has the prices of the version, although it begins later.")
]


@routes.get("/price-books/{bookID}/versions/{number}/preview", responses={200: {"model": list[BuyerPreviewResponse]}})
async def preview_price_version(
    call: AnyViewer, bookID: UuidPath, number: str, page: ComputedPaging, whole: Whole = False
) -> Response:
    """Preview a version of a price book.

    What each of the buyers to whom the book applies today would be charged for the running month so far if the version
    were published now, beside what it is charged. If the version begins after today, or is published already, every day
    of the month has its prices. In the order in which the buyers were created.
    """
    version = version_number(bookID, number)

    async def read(after: int | None, most: int) -> tuple[list[bytes], int | None]:
        part = await call.database.transaction(
            preview_part, call.actor, bookID, version, call.now, after, most, whole=whole
        )
        return [json.dumps(one, ensure_ascii=False).encode() for one in part.documents], part.next

    return ComputedListResponse(page, read)

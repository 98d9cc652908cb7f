"""Versions of price books: prices, from a day on."""

from typing import Annotated, Literal

from fastapi import APIRouter, Body, Query
from starlette.responses import Response

from tonnage.api_keys.guard import AnyAdmin, AnyViewer
from tonnage.error_codes import ConflictCode, RequestCode
from tonnage.idempotency.idempotent_route import IdempotentRoute
from tonnage.price_books import actions, version_queries
from tonnage.price_books.price_book import no_book
from tonnage.price_books.version import no_version, version_number
from tonnage.price_books.version_body import VersionReqBody
from tonnage.web.error_responses import refusals
from tonnage.web.json_list import JsonListResponse, Paging, SingleRow
from tonnage.web.responses import Json, NoContent
from tonnage.web.schemas import DayText, ResponseModel, TimestampText, UuidPath, with_example

routes = APIRouter(prefix="/ext/v1", route_class=IdempotentRoute, tags=["Prices"])


class BandResponse(ResponseModel):
    """A band of a table of prices by quantity."""

    upToGb: int | None = None
    """Where it ends, inclusive, in GB-months. Missing in the last band, which has no end."""
    price: str
    """Hundredths of the major unit per GB-month, as decimal text."""


class TiersResponse(ResponseModel):
    """Prices by quantity."""

    on: Literal["reserved", "payPerUse"]
    """The product."""
    mode: Literal["graduated", "volume"]
    """Whether each part of the quantity has the price of its band, or all of it that of the band it reaches."""
    bands: list[BandResponse]
    """From 0, without a gap."""


class PayPerUseMinimumResponse(ResponseModel):
    """The least quantity of pay-per-use that is charged."""

    gb: int
    """GB-months."""
    pool: Literal["account", "partner", "contract"]
    """Whose use is added up and compared."""


class VersionResponse(ResponseModel):
    """A version of a price book. What is missing is not sold."""

    model_config = with_example(
        {
            "number": 2,
            "state": "published",
            "validFrom": "2026-12-01",
            "reserved": "0.69",
            "excess": "1",
            "prorateMinimums": True,
            "createdAt": "2026-11-24T09:00:00Z",
            "publishedAt": "2026-11-24T09:05:00Z",
        }
    )

    has_revision = True

    number: int
    """Its number in the book."""
    state: Literal["draft", "published"]
    """A draft can be changed; a published version never changes."""
    validFrom: DayText
    """The first day on which it applies, UTC."""
    reserved: str | None = None
    """Per GB-month of the reserved or allocated capacity. All prices are hundredths of the major unit, as decimal text.
    """
    excess: str | None = None
    """Per GB-month of use beyond the allocation."""
    payPerUse: str | None = None
    """Per GB-month of use of what has no allocation."""
    payPerUseMinimum: PayPerUseMinimumResponse | None = None
    """The least quantity of pay-per-use that is charged in a month."""
    minimumCharge: str | None = None
    """The least that is charged for a month."""
    egressPerGb: str | None = None
    """Per GB sent to clients."""
    discountPercent: str | None = None
    """Percent of the sum of the lines of use and the minimum of pay-per-use."""
    prorateMinimums: bool
    """Whether the minimums count only for the share of the month in which the buyer was active."""
    tiers: TiersResponse | None = None
    """Prices by quantity, which replace the price of their product."""
    createdAt: TimestampText
    """When it was added, UTC."""
    publishedAt: TimestampText | None = None
    """When it was published, UTC. Missing of a draft."""


Version = Annotated[VersionReqBody, Body(alias="version")]
Correct = Annotated[bool, Query(description="Whether it may begin in the past, and change what past days cost.")]


@routes.get("/price-books/{bookID}/versions", responses={200: {"model": list[VersionResponse]}})
async def list_price_versions(call: AnyViewer, bookID: UuidPath, page: Paging) -> Response:
    """List the versions of a price book.

    In order of their numbers, drafts included.
    """
    select = version_queries.versions_of(call.actor.organisation_id, bookID)
    return JsonListResponse(call.database.streams, page, select, no_book(bookID), at_once=SingleRow(call.database.run))


@routes.post("/price-books/{bookID}/versions", status_code=201, responses={201: {"model": VersionResponse}})
async def add_price_version(call: AnyAdmin, bookID: UuidPath, details: Version) -> Response:
    """Add a version to a price book.

    As a draft: nobody is charged by it until it is published.
    """
    version = details.new_version()
    _, added = await call.database.run(actions.add_version, call.actor, bookID, version, call.now)
    return Json(added.json, 201, added.revision)


@routes.get("/price-books/{bookID}/versions/{number}", responses={200: {"model": VersionResponse}})
async def get_price_version(call: AnyViewer, bookID: UuidPath, number: str) -> Response:
    """Get a version of a price book.

    A draft or a published one.
    """
    found = await call.database.run(
        version_queries.one_version, call.actor.organisation_id, bookID, version_number(bookID, number)
    )
    if found is None:
        raise no_version(bookID, number)
    return Json(found.json, revision=found.revision)


@routes.put(
    "/price-books/{bookID}/versions/{number}",
    responses={200: {"model": VersionResponse}},
    openapi_extra=refusals(RequestCode.PRECONDITION_FAILED, ConflictCode.VERSION_PUBLISHED),
)
async def replace_price_version(call: AnyAdmin, bookID: UuidPath, number: str, details: Version) -> Response:
    """Replace a draft.

    All of its prices become those of the request; what the request leaves out is not sold.
    """
    version = details.new_version()
    replaced = await call.database.run(
        actions.replace_draft, call.actor, bookID, version_number(bookID, number), version, revision=call.revision
    )
    return Json(replaced.json, revision=replaced.revision)


@routes.delete(
    "/price-books/{bookID}/versions/{number}",
    status_code=204,
    openapi_extra=refusals(RequestCode.PRECONDITION_FAILED, ConflictCode.VERSION_PUBLISHED),
)
async def delete_price_version(call: AnyAdmin, bookID: UuidPath, number: str) -> Response:
    """Delete a draft.

    A published version stays.
    """
    await call.database.run(
        actions.delete_draft, call.actor, bookID, version_number(bookID, number), revision=call.revision
    )
    return NoContent()


@routes.post(
    "/price-books/{bookID}/versions/{number}/publication",
    status_code=201,
    responses={201: {"model": VersionResponse}},
    openapi_extra=refusals(
        RequestCode.PRECONDITION_FAILED,
        RequestCode.BACKDATED,
        ConflictCode.MONTH_FROZEN,
        RequestCode.WITHIN_MONTH,
        ConflictCode.VERSION_PUBLISHED,
    ),
)
async def publish_price_version(call: AnyAdmin, bookID: UuidPath, number: str, correct: Correct = False) -> Response:
    """Publish a draft.

    From then on it never changes, and from its first day on it is what the book's buyers are charged by.
    """
    published = await call.database.transaction(
        actions.publish,
        call.actor,
        bookID,
        version_number(bookID, number),
        call.now,
        correct=correct,
        revision=call.revision,
    )
    return Json(published.json, 201, published.revision)

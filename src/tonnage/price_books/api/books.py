"""Price books: what you charge."""

from typing import Annotated

from fastapi import APIRouter, Body
from pydantic import AfterValidator
from starlette.responses import Response

from tonnage.api_keys.guard import AnyAdmin, AnyViewer
from tonnage.contracts.contract import currency
from tonnage.error_codes import ConflictCode, RequestCode
from tonnage.idempotency.idempotent_route import IdempotentRoute
from tonnage.price_books import actions, queries
from tonnage.price_books.price_book import NewPriceBook, no_book
from tonnage.web.error_responses import refusals
from tonnage.web.json_list import JsonListResponse, Paging, SingleRow
from tonnage.web.responses import Json
from tonnage.web.schemas import (
    Flag,
    Name,
    RequestModel,
    ResponseModel,
    Text,
    TimestampText,
    UuidPath,
    UuidText,
    with_example,
)

routes = APIRouter(prefix="/ext/v1", route_class=IdempotentRoute, tags=["Prices"])


class CreatePriceBookReqBody(RequestModel):
    """A new price book."""

    model_config = with_example({"name": "Partners 2027", "currency": "EUR", "isDefault": True})

    name: Name
    """Its name: 1 to 200 characters, not only spaces, no control characters."""
    currency: Annotated[Text, AfterValidator(currency)]
    """The currency of its prices, as three letters (ISO 4217)."""
    is_default: Flag | None = None
    """Whether it applies to all of your buyers that have no other. You can have one such book."""


class PriceBookResponse(ResponseModel):
    """A price book."""

    model_config = with_example(
        {
            "id": "606f031c-0f85-4444-8c7d-4a8f1ede7cd3",
            "name": "Partners 2027",
            "currency": "EUR",
            "isDefault": True,
            "createdAt": "2026-11-24T09:00:00Z",
        }
    )

    id: UuidText
    """The book's id."""
    name: str
    """Its name."""
    currency: str
    """The currency of its prices, as three letters (ISO 4217)."""
    isDefault: bool
    """Whether it applies to all of your buyers that have no other."""
    createdAt: TimestampText
    """When it was created, UTC."""


NewBook = Annotated[CreatePriceBookReqBody, Body(alias="priceBook")]


@routes.get("/price-books", responses={200: {"model": list[PriceBookResponse]}})
async def list_price_books(call: AnyViewer, page: Paging) -> Response:
    """List your price books.

    In order of creation.
    """
    select = queries.books_of(call.actor.organisation_id)
    return JsonListResponse(call.database.streams, page, select, at_once=SingleRow(call.database.run))


@routes.post(
    "/price-books",
    status_code=201,
    responses={201: {"model": PriceBookResponse}},
    openapi_extra=refusals(RequestCode.NOT_FOUND, ConflictCode.DEFAULT_PRICE_BOOK),
)
async def create_price_book(call: AnyAdmin, details: NewBook) -> Response:
    """Create a price book.

    It has no prices until a version of it is published.
    """
    book = NewPriceBook(details.name, details.currency, details.is_default is True)
    created = await call.database.run(actions.create_book, call.actor, book, call.now)
    return Json(created.json, 201)


@routes.get("/price-books/{bookID}", responses={200: {"model": PriceBookResponse}})
async def get_price_book(call: AnyViewer, bookID: UuidPath) -> Response:
    """Get a price book.

    Its prices are in its versions.
    """
    found = await call.database.run(queries.one_book, call.actor.organisation_id, bookID)
    if found is None:
        raise no_book(bookID)
    return Json(found)

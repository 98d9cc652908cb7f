"""Assignments: which price book a contract, a partner or a storage account has, from when on."""

from typing import Annotated

from fastapi import APIRouter, Body, Query
from starlette.responses import Response

from tonnage.accounts.actions import account_number, no_account
from tonnage.api_keys.guard import AnyAdmin, AnyViewer, ApiRequest
from tonnage.contracts.contract import no_contract
from tonnage.error_codes import ConflictCode, RequestCode
from tonnage.errors import NotFound
from tonnage.idempotency.idempotent_route import IdempotentRoute
from tonnage.organisations.organisation import no_partner
from tonnage.price_books import actions, assignment_queries
from tonnage.price_books.assignment import NewAssignment, Subject, SubjectKind
from tonnage.web.error_responses import refusals
from tonnage.web.json_list import JsonListResponse, Page, Paging, SingleRow
from tonnage.web.responses import Json
from tonnage.web.schemas import (
    Day,
    DayText,
    RequestModel,
    ResponseModel,
    TimestampText,
    UuidBody,
    UuidPath,
    UuidText,
    with_example,
)

routes = APIRouter(prefix="/ext/v1", route_class=IdempotentRoute, tags=["Prices"])

_ID = "606f031c-0f85-4444-8c7d-4a8f1ede7cd3"


class AssignPriceBookReqBody(RequestModel):
    """Which price book applies, and from when on."""

    model_config = with_example({"priceBook": _ID, "validFrom": "2026-12-01"})
    nullable = frozenset({"price_book"})

    price_book: UuidBody | None
    """The id of one of your price books; null ends the assignment, so that the book of what it belongs to applies."""
    valid_from: Day
    """The first day on which it applies, UTC."""


class AssignmentResponse(ResponseModel):
    """An assignment of a price book."""

    model_config = with_example({"priceBook": _ID, "validFrom": "2026-12-01", "assignedAt": "2026-11-24T09:00:00Z"})

    priceBook: UuidText | None = None
    """The id of the price book. Missing if it has none of its own from that day on."""
    validFrom: DayText
    """The first day on which it applies, UTC."""
    assignedAt: TimestampText
    """When it was assigned, UTC. Of two that apply from one day on, the later one counts."""


Assignment = Annotated[AssignPriceBookReqBody, Body(alias="assignment")]
Correct = Annotated[bool, Query(description="Whether it may begin in the past, and change what past days cost.")]

_REFUSED = refusals(
    RequestCode.NOT_FOUND,
    RequestCode.BACKDATED,
    RequestCode.WITHIN_MONTH,
    ConflictCode.OTHER_CURRENCY,
    ConflictCode.MONTH_FROZEN,
)


def _listed(call: ApiRequest, subject: Subject, page: Page, missing: NotFound) -> Response:
    select = assignment_queries.assignments_to(call.actor.organisation_id, subject)
    return JsonListResponse(call.database.streams, page, select, missing, at_once=SingleRow(call.database.run))


async def _assigned(call: ApiRequest, subject: Subject, details: AssignPriceBookReqBody, *, correct: bool) -> Response:
    assignment = NewAssignment(details.price_book, details.valid_from)
    return Json(
        await call.database.transaction(actions.assign, call.actor, subject, assignment, call.now, correct=correct)
    )


@routes.get("/price-assignments/contract/{contractID}", responses={200: {"model": list[AssignmentResponse]}})
async def list_price_books_of_contract(call: AnyViewer, contractID: UuidPath, page: Paging) -> Response:
    """List your assignments of price books to a contract.

    In the order in which they were made.
    """
    return _listed(call, Subject(SubjectKind.CONTRACT, contractID), page, no_contract(contractID))


@routes.put(
    "/price-assignments/contract/{contractID}", responses={200: {"model": AssignmentResponse}}, openapi_extra=_REFUSED
)
async def assign_price_book_to_contract(
    call: AnyAdmin, contractID: UuidPath, details: Assignment, correct: Correct = False
) -> Response:
    """Assign a price book to a contract.

    An operator's is what the distributor pays for the contract; a distributor's is what the partners under it pay that
    have no other.
    """
    return await _assigned(call, Subject(SubjectKind.CONTRACT, contractID), details, correct=correct)


@routes.get("/price-assignments/partner/{partnerID}", responses={200: {"model": list[AssignmentResponse]}})
async def list_price_books_of_partner(call: AnyViewer, partnerID: UuidPath, page: Paging) -> Response:
    """List your assignments of price books to a partner.

    In the order in which they were made.
    """
    return _listed(call, Subject(SubjectKind.PARTNER, partnerID), page, no_partner(partnerID))


@routes.put(
    "/price-assignments/partner/{partnerID}", responses={200: {"model": AssignmentResponse}}, openapi_extra=_REFUSED
)
async def assign_price_book_to_partner(
    call: AnyAdmin, partnerID: UuidPath, details: Assignment, correct: Correct = False
) -> Response:
    """Assign a price book to a partner.

    A distributor's is what the partner pays; a partner's own, assigned to itself, what its storage accounts pay that
    have no other.
    """
    return await _assigned(call, Subject(SubjectKind.PARTNER, partnerID), details, correct=correct)


@routes.get("/price-assignments/account/{accountID}", responses={200: {"model": list[AssignmentResponse]}})
async def list_price_books_of_account(call: AnyViewer, accountID: str, page: Paging) -> Response:
    """List your assignments of price books to a storage account.

    In the order in which they were made.
    """
    number = account_number(accountID)
    return _listed(call, Subject(SubjectKind.ACCOUNT, number), page, no_account(number))


@routes.put(
    "/price-assignments/account/{accountID}", responses={200: {"model": AssignmentResponse}}, openapi_extra=_REFUSED
)
async def assign_price_book_to_account(
    call: AnyAdmin, accountID: str, details: Assignment, correct: Correct = False
) -> Response:
    """Assign a price book to a storage account.

    It is what the account's customer pays.
    """
    return await _assigned(call, Subject(SubjectKind.ACCOUNT, account_number(accountID)), details, correct=correct)

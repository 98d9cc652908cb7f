"""Timed overrides: more capacity for a storage account or a partner until a day."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body
from starlette.responses import Response

from tonnage.access.actor import Role
from tonnage.accounts.actions import account_number, no_account
from tonnage.api_keys.guard import ApiRequest, DistributorStaff
from tonnage.api_keys.partner_operation import partner_operation
from tonnage.error_codes import ConflictCode, RequestCode
from tonnage.idempotency.idempotent_route import IdempotentRoute
from tonnage.organisations.organisation import no_partner
from tonnage.overrides import actions, queries
from tonnage.overrides.override import NewOverride
from tonnage.web.error_responses import refusals
from tonnage.web.json_list import JsonListResponse, Paging
from tonnage.web.responses import Json, NoContent
from tonnage.web.schemas import (
    Bytes,
    Capacity,
    Day,
    DayText,
    Flag,
    Name,
    RequestModel,
    ResponseModel,
    TimestampText,
    UuidPath,
    UuidText,
    with_example,
)

routes = APIRouter(prefix="/ext/v1", route_class=IdempotentRoute)

_EXAMPLE = {"capacity": 12_000_000_000_000, "until": "2026-12-31", "reason": "Migration until year's end", "free": True}


class GrantOverrideReqBody(RequestModel):
    """What is granted."""

    model_config = with_example(_EXAMPLE)

    capacity: Capacity
    """What the allocation is at least while the override runs, in bytes: more than the allocation."""
    until: Day
    """Its last day, UTC: today or up to 90 days from today."""
    reason: Name
    """Shown to everyone who can see it: 1 to 200 characters, no control characters."""
    free: Flag = False
    """Whether use within the override is free. Without it, use beyond the allocation is billed as excess."""


class OverrideResponse(ResponseModel):
    """An override."""

    model_config = with_example(
        {"id": "7f0a6f2b-4f7e-4a51-9d7a-0f6d4c1b2a3e", **_EXAMPLE, "since": "2026-11-24T09:00:00Z"}
    )

    has_revision = True

    id: UuidText
    """The override's id."""
    capacity: Bytes
    """What the allocation is at least while it runs, in bytes."""
    since: TimestampText
    """When it began, UTC."""
    until: DayText
    """Its last day, UTC."""
    endedAt: TimestampText | None = None
    """When it was ended before its last day was over, UTC. Missing if it was not."""
    free: bool
    """Whether use within it is free."""
    reason: str
    """Why it was granted."""


Override = Annotated[GrantOverrideReqBody, Body(alias="override")]

_OF_ACCOUNT = ("/partner/{partnerID}/storage-accounts/{accountID}", "/storage-account/{accountID}")


@partner_operation(
    routes.get,
    *(f"{path}/overrides" for path in _OF_ACCOUNT),
    role=Role.VIEWER,
    for_distributor="List the overrides of a partner's storage account.",
    openapi_extra=refusals(RequestCode.NOT_FOUND),
    responses={200: {"model": list[OverrideResponse]}},
)
async def list_account_overrides(call: ApiRequest, partner_id: UUID, accountID: str, page: Paging) -> Response:
    """List the overrides of a storage account.

    All that were ever granted, in the order in which they began.
    """
    number = account_number(accountID)
    select = queries.overrides_of_account(call.actor.organisation_id, partner_id, number)
    return JsonListResponse(call.database.streams, page, select, no_account(number))


@partner_operation(
    routes.put,
    *(f"{path}/override" for path in _OF_ACCOUNT),
    role=Role.STAFF,
    for_distributor="Grant a partner's storage account more capacity until a day.",
    openapi_extra=refusals(
        RequestCode.PRECONDITION_FAILED,
        ConflictCode.PARTNER_FULL,
        ConflictCode.TOTAL_TOO_LARGE,
        ConflictCode.PAY_PER_USE,
        ConflictCode.ACCOUNT_DELETING,
    ),
    responses={200: {"model": OverrideResponse}},
)
async def grant_account_override(call: ApiRequest, partner_id: UUID, accountID: str, details: Override) -> Response:
    """Grant a storage account more capacity until a day.

    While it runs the allocation is at least the override's capacity, taken out of what the partner has left. It ends
    with its last day, UTC; the allocation itself stays as it is, and may change meanwhile. Another override ends the
    one that runs.
    """
    granted = await call.database.run(
        actions.grant_to_account,
        call.actor,
        partner_id,
        account_number(accountID),
        _override(details),
        call.now,
        revision=call.revision,
    )
    return Json(granted.json, revision=granted.revision)


@partner_operation(
    routes.delete,
    *(f"{path}/override" for path in _OF_ACCOUNT),
    role=Role.STAFF,
    for_distributor="End the override of a partner's storage account.",
    openapi_extra=refusals(RequestCode.PRECONDITION_FAILED),
    status_code=204,
)
async def end_account_override(call: ApiRequest, partner_id: UUID, accountID: str) -> Response:
    """End the override of a storage account before its last day.

    An account without an override stays unchanged.
    """
    await call.database.run(
        actions.end_of_account,
        call.actor,
        partner_id,
        account_number(accountID),
        call.now,
        revision=call.revision,
    )
    return NoContent()


@partner_operation(
    routes.get,
    "/partner/{partnerID}/overrides",
    "/overrides",
    role=Role.VIEWER,
    for_distributor="List the overrides of a partner.",
    openapi_extra=refusals(RequestCode.NOT_FOUND),
    responses={200: {"model": list[OverrideResponse]}},
)
async def list_overrides(call: ApiRequest, partner_id: UUID, page: Paging) -> Response:
    """List the overrides of your allocation.

    All that were ever granted, in the order in which they began.
    """
    select = queries.overrides_of_partner(call.actor.organisation_id, partner_id)
    return JsonListResponse(call.database.streams, page, select, no_partner(partner_id))


@routes.put(
    "/partner/{partnerID}/override",
    tags=["Distributors"],
    openapi_extra=refusals(RequestCode.PRECONDITION_FAILED, ConflictCode.CONTRACT_FULL, ConflictCode.PAY_PER_USE),
    responses={200: {"model": OverrideResponse}},
)
async def grant_partner_override(call: DistributorStaff, partnerID: UuidPath, details: Override) -> Response:
    """Grant a partner more capacity until a day.

    While it runs the allocation is at least the override's capacity, taken out of what the contract has left. The
    partner's storage accounts may use it, and have overrides out of it; what they are allocated for good stays within
    the allocation itself. Another override ends the one that runs.
    """
    granted = await call.database.run(
        actions.grant_to_partner, call.actor, partnerID, _override(details), call.now, revision=call.revision
    )
    return Json(granted.json, revision=granted.revision)


@routes.delete(
    "/partner/{partnerID}/override",
    tags=["Distributors"],
    openapi_extra=refusals(RequestCode.PRECONDITION_FAILED, ConflictCode.ACCOUNTS_OVERRIDDEN),
    status_code=204,
)
async def end_partner_override(call: DistributorStaff, partnerID: UuidPath) -> Response:
    """End the override of a partner before its last day.

    A partner without an override stays unchanged. Overrides of its storage accounts that are taken out of this one must
    end first.
    """
    await call.database.run(actions.end_of_partner, call.actor, partnerID, call.now, revision=call.revision)
    return NoContent()


def _override(details: GrantOverrideReqBody) -> NewOverride:
    return NewOverride(details.capacity, details.until, details.reason, details.free)

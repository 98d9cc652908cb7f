"""A distributor's partners, and a partner for itself."""

import json
from typing import Annotated

from fastapi import APIRouter, Body
from starlette.responses import Response

from tonnage.api_keys.guard import DistributorAdmin, DistributorStaff, DistributorViewer, PartnerViewer
from tonnage.contracts.contract import no_contract
from tonnage.error_codes import ConflictCode, RequestCode
from tonnage.idempotency.idempotent_route import IdempotentRoute
from tonnage.organisations.organisation import no_partner
from tonnage.partners import actions, partner_queries, queries
from tonnage.partners.partner import NewPartner, PartnerChange
from tonnage.web.error_responses import refusals
from tonnage.web.json_list import JsonListResponse, Paging, SingleRow
from tonnage.web.responses import FIRST_REVISION, Json, NoContent
from tonnage.web.schemas import (
    Bytes,
    Capacity,
    Flag,
    Name,
    RequestModel,
    ResponseModel,
    UuidBody,
    UuidPath,
    UuidText,
    with_example,
)

routes = APIRouter(prefix="/v1", route_class=IdempotentRoute, tags=["Distributors"])
extensions = APIRouter(prefix="/ext/v1", route_class=IdempotentRoute)


class CreatePartnerReqBody(RequestModel):
    """A new partner."""

    model_config = with_example(
        {
            "allocatedCapacity": 5_000_000_000_000,
            "distributorContractId": "606f031c-0f85-4444-8c7d-4a8f1ede7cd3",
            "name": "New partner company",
        }
    )

    allocated_capacity: Capacity
    """Its fixed capacity, in bytes, out of what the contract has left; 0 is pay-per-use."""
    allow_overdraft: Flag | None = None
    """Whether it may use more than its allocation; the excess is billed. Without it, it may not."""
    distributor_contract_id: UuidBody
    """The contract that it is created under, one of your own."""
    name: Name
    """Its name: 1 to 200 characters, not only spaces, no control characters."""


class UpdatePartnerReqBody(RequestModel):
    """The fields of a partner that change."""

    model_config = with_example({"allocatedCapacity": 250_000_000, "name": "Renamed partner"})

    allocated_capacity: Capacity | None = None
    """Its fixed capacity, in bytes, out of what the contract has left; 0 is pay-per-use."""
    allow_overdraft: Flag | None = None
    """Whether it may use more than its allocation; the excess is billed."""
    name: Name | None = None
    """Its name: 1 to 200 characters, not only spaces, no control characters."""


class MovePartnerReqBody(RequestModel):
    """Where a partner moves."""

    model_config = with_example({"distributorContractId": "bb0a102d-ad4b-4738-b405-561add97abbb"})

    distributor_contract_id: UuidBody
    """The contract that it moves to, one of your own and in the same currency."""


class DistributorPartnerResponse(ResponseModel):
    """A partner."""

    model_config = with_example(
        {
            "id": "4b14e456-ef23-46ed-9070-f5eaf1b5ef04",
            "distributorContractId": "606f031c-0f85-4444-8c7d-4a8f1ede7cd3",
            "name": "New partner company",
            "allocatedCapacity": 5_000_000_000_000,
        }
    )

    has_revision = True

    id: UuidText
    """The partner's id."""
    distributorContractId: UuidText
    """The contract that it is under."""
    name: str
    """Its name."""
    allocatedCapacity: Bytes
    """Its fixed capacity, in bytes; 0 is pay-per-use."""
    allowOverdraft: bool | None = None
    """Whether it may use more than its allocation; the excess is billed."""
    details: str | None = None
    """Notes of the distributor. Missing if there are none."""


class OwnPartnerResponse(ResponseModel):
    """Your own organisation, and what it has left."""

    model_config = with_example(
        {
            "id": "4b14e456-ef23-46ed-9070-f5eaf1b5ef04",
            "name": "New partner company",
            "allocatedCapacity": 5_000_000_000_000,
            "allowOverdraft": False,
            "allocatedToAccounts": 3_000_000_000_000,
            "remaining": 2_000_000_000_000,
            "storageAccounts": 12,
            "used": 1_840_000_000_000,
        }
    )

    id: UuidText
    """Your organisation's id."""
    name: str
    """Its name."""
    allocatedCapacity: Bytes
    """Your allocation, in bytes; 0 is pay-per-use."""
    allowOverdraft: bool
    """Whether you may use more than your allocation; the excess is billed."""
    allocatedToAccounts: Bytes
    """What you have allocated to storage accounts, in bytes."""
    remaining: Bytes | None = None
    """What you have left to allocate, in bytes. Missing if nothing limits it."""
    storageAccounts: int
    """The number of your storage accounts."""
    used: Bytes
    """What they store, in bytes, as last measured."""


@routes.get("/contract/{contractID}/partners", responses={200: {"model": list[DistributorPartnerResponse]}})
async def list_partners(call: DistributorViewer, contractID: UuidPath, page: Paging) -> Response:
    """List the partners under one of your contracts.

    In order of creation.
    """
    select = queries.partners_of(call.actor.organisation_id, contractID)
    return JsonListResponse(
        call.database.streams, page, select, no_contract(contractID), at_once=SingleRow(call.database.run)
    )


@routes.post(
    "/partner",
    status_code=201,
    responses={201: {"model": DistributorPartnerResponse}},
    openapi_extra=refusals(ConflictCode.CONTRACT_FULL, ConflictCode.TOO_MANY_PARTNERS),
)
async def create_partner(
    call: DistributorStaff, details: Annotated[CreatePartnerReqBody, Body(alias="partnerDetails")]
) -> Response:
    """Create a partner.

    Its `allocatedCapacity`, in bytes, is part of the contract's remaining capacity; 0 makes it pay-per-use.
    """
    partner = NewPartner(
        details.distributor_contract_id, details.name, details.allocated_capacity, details.allow_overdraft
    )
    created = await call.database.run(
        actions.create_partner, call.actor, partner, call.now, limits=call.services.limits
    )
    return Json(created.json, 201, FIRST_REVISION)


@routes.get("/partner/{partnerID}", responses={200: {"model": DistributorPartnerResponse}})
async def get_partner(call: DistributorViewer, partnerID: UuidPath) -> Response:
    """Get a partner.

    With its contract and its allocation, in bytes.
    """
    found = await call.database.run(queries.one_partner, call.actor.organisation_id, partnerID)
    if found is None:
        raise no_partner(partnerID)
    return Json(found.json, revision=found.revision)


@routes.put(
    "/partner/{partnerID}",
    responses={200: {"model": DistributorPartnerResponse}},
    openapi_extra=refusals(
        RequestCode.PRECONDITION_FAILED, ConflictCode.CONTRACT_FULL, ConflictCode.ALLOCATED_TO_ACCOUNTS
    ),
)
async def update_partner(
    call: DistributorStaff, partnerID: UuidPath, details: Annotated[UpdatePartnerReqBody, Body(alias="partnerDetails")]
) -> Response:
    """Update a partner: name, allocation, overdraft.

    The fields in the request change immediately; all others stay unchanged. Unknown fields are ignored.
    """
    change = PartnerChange(details.name, details.allocated_capacity, details.allow_overdraft)
    updated = await call.database.run(
        actions.update_partner, call.actor, partnerID, change, call.now, revision=call.revision
    )
    return Json(updated.json, revision=updated.revision)


@routes.delete(
    "/partner/{partnerID}",
    status_code=204,
    openapi_extra=refusals(RequestCode.PRECONDITION_FAILED, ConflictCode.PARTNER_NOT_EMPTY),
)
async def delete_partner(call: DistributorAdmin, partnerID: UuidPath) -> Response:
    """Close a partner that has no storage accounts.

    Its members and API keys are removed. Accounts waiting for deletion still count.
    """
    await call.database.run(actions.close_partner, call.actor, partnerID, call.now, revision=call.revision)
    return NoContent()


@extensions.put(
    "/partner/{partnerID}/contract",
    tags=["Distributors"],
    responses={200: {"model": DistributorPartnerResponse}},
    openapi_extra=refusals(RequestCode.PRECONDITION_FAILED, ConflictCode.CONTRACT_FULL, ConflictCode.OTHER_CURRENCY),
)
async def move_partner(
    call: DistributorStaff, partnerID: UuidPath, details: Annotated[MovePartnerReqBody, Body(alias="contract")]
) -> Response:
    """Move a partner to another contract.

    Its allocated capacity moves with it. The contract must be one of your own and in the same currency.
    """
    target = details.distributor_contract_id
    moved = await call.database.run(
        actions.move_partner, call.actor, partnerID, target, call.now, revision=call.revision
    )
    return Json(moved.json, revision=moved.revision)


@extensions.get(
    "/partner",
    tags=["Partners"],
    responses={200: {"model": OwnPartnerResponse}},
    openapi_extra=refusals(RequestCode.NOT_FOUND),
)
async def get_own_partner(call: PartnerViewer) -> Response:
    """Get your own allocation.

    In bytes: what you have (`allocatedCapacity`), what your storage accounts have of it, what remains for new
    allocations, and what they use by their last measurements. `remaining` is absent for pay-per-use.
    """
    partner_id = call.actor.organisation_id
    found = await call.database.run(partner_queries.partner_totals, partner_id, partner_id)
    if found is None:
        raise no_partner(partner_id)
    own = {
        "id": str(partner_id),
        "name": found.name,
        "allocatedCapacity": found.allocated,
        "allowOverdraft": found.overdraft,
        "allocatedToAccounts": found.allocated_to_accounts,
        "storageAccounts": found.accounts,
        "used": int(found.used),
    }
    if found.allocated:
        own["remaining"] = found.remaining
    return Json(json.dumps(own, ensure_ascii=False).encode())

"""A distributor's partners."""

from typing import Annotated

from fastapi import APIRouter, Body
from starlette.responses import Response

from tonnage.access.actions import no_partner
from tonnage.access.guard import DistributorAdmin, DistributorStaff, DistributorViewer
from tonnage.partners import actions, queries
from tonnage.partners.partner import NewPartner, PartnerChange
from tonnage.web.listing import Listing, Paging
from tonnage.web.payload import Answer, Capacity, Flag, Name, Payload, UuidBody, UuidPath
from tonnage.web.reply import Json, NoContent
from tonnage.web.route import Door

routes = APIRouter(prefix="/v1", route_class=Door, tags=["Distributors"])
extensions = APIRouter(prefix="/ext/v1", route_class=Door, tags=["Distributors"])


class CreatePartnerReqBody(Payload):
    allocated_capacity: Capacity
    allow_overdraft: Flag | None = None
    distributor_contract_id: UuidBody
    name: Name


class UpdatePartnerReqBody(Payload):
    allocated_capacity: Capacity | None = None
    allow_overdraft: Flag | None = None
    name: Name | None = None


class MovePartnerReqBody(Payload):
    distributor_contract_id: UuidBody


class DistributorPartnerResponse(Answer):
    id: str
    distributorContractId: str
    name: str
    allocatedCapacity: int
    allowOverdraft: bool | None = None
    details: str | None = None


@routes.get("/contract/{contractID}/partners", responses={200: {"model": list[DistributorPartnerResponse]}})
async def list_partners(call: DistributorViewer, contractID: UuidPath, page: Paging) -> Response:
    """The partners under one of your contracts, in order of creation."""
    select = queries.partners_of(call.actor.organisation_id, contractID)
    return Listing(call.database.streams, page, select, actions.no_contract(contractID))


@routes.post("/partner", status_code=201, responses={201: {"model": DistributorPartnerResponse}})
async def create_partner(
    call: DistributorStaff, details: Annotated[CreatePartnerReqBody, Body(alias="partnerDetails")]
) -> Response:
    """Creates a partner with a part of the contract's remaining capacity, in bytes; 0 makes it pay-per-use."""
    partner = NewPartner(
        details.distributor_contract_id, details.name, details.allocated_capacity, details.allow_overdraft
    )
    return Json(await call.database.run(lambda conn: actions.create_partner(conn, call.actor, partner, call.now)), 201)


@routes.get("/partner/{partnerID}", responses={200: {"model": DistributorPartnerResponse}})
async def get_partner(call: DistributorViewer, partnerID: UuidPath) -> Response:
    """One partner."""
    found = await call.database.run(lambda conn: queries.one_partner(conn, call.actor.organisation_id, partnerID))
    if found is None:
        raise no_partner(partnerID)
    return Json(found)


@routes.put("/partner/{partnerID}", responses={200: {"model": DistributorPartnerResponse}})
async def update_partner(
    call: DistributorStaff, partnerID: UuidPath, details: Annotated[UpdatePartnerReqBody, Body(alias="partnerDetails")]
) -> Response:
    """Changes the fields that are given, at once: name, allocated capacity, overdraft. Others are ignored."""
    change = PartnerChange(details.name, details.allocated_capacity, details.allow_overdraft)
    return Json(
        await call.database.run(lambda conn: actions.update_partner(conn, call.actor, partnerID, change, call.now))
    )


@routes.delete("/partner/{partnerID}", status_code=204)
async def delete_partner(call: DistributorAdmin, partnerID: UuidPath) -> Response:
    """Closes a partner that has no storage accounts left; its members and keys end."""
    await call.database.run(lambda conn: actions.close_partner(conn, call.actor, partnerID, call.now))
    return NoContent()


@extensions.put("/partner/{partnerID}/contract", responses={200: {"model": DistributorPartnerResponse}})
async def move_partner(
    call: DistributorStaff, partnerID: UuidPath, details: Annotated[MovePartnerReqBody, Body(alias="contract")]
) -> Response:
    """Moves a partner, with its capacity, to another of your contracts in the same currency."""
    target = details.distributor_contract_id
    return Json(
        await call.database.run(lambda conn: actions.move_partner(conn, call.actor, partnerID, target, call.now))
    )

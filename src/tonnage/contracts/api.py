"""A distributor's contracts."""

from fastapi import APIRouter
from starlette.responses import Response

from tonnage.access.guard import DistributorViewer
from tonnage.contracts import queries
from tonnage.web.listing import Listing, Paging
from tonnage.web.payload import Answer
from tonnage.web.route import Door

routes = APIRouter(prefix="/v1", route_class=Door, tags=["Distributors"])


class DistributorContractResponse(Answer):
    id: str
    distributorId: str
    reservedCapacity: int
    allocatedCapacity: int
    costStorageGBCents: str
    costEgressGBCents: str
    currency: str
    details: str | None = None


@routes.get("/contract/list", responses={200: {"model": list[DistributorContractResponse]}})
async def list_contracts(call: DistributorViewer, page: Paging) -> Response:
    """Your contracts: capacities in bytes, prices in cents per GB and month as decimal text."""
    return Listing(call.database.streams, page, queries.contracts_of(call.actor.organisation_id))

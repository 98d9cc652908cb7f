"""A distributor's contracts."""

from fastapi import APIRouter
from starlette.responses import Response

from tonnage.access.guard import DistributorViewer
from tonnage.contracts import queries
from tonnage.web.listing import AtOnce, Listing, Paging
from tonnage.web.payload import Answer, Bytes, shown
from tonnage.web.route import Door

routes = APIRouter(prefix="/v1", route_class=Door, tags=["Distributors"])


class DistributorContractResponse(Answer):
    model_config = shown(
        {
            "id": "606f031c-0f85-4444-8c7d-4a8f1ede7cd3",
            "distributorId": "7e1fe78d-3f61-4215-8c48-eda9e1b08f13",
            "reservedCapacity": 100_000_000_000_000,
            "allocatedCapacity": 53_000_000_000_000,
            "costStorageGBCents": "100",
            "costEgressGBCents": "0",
            "currency": "EUR",
            "details": "Main contract",
        }
    )

    id: str
    distributorId: str
    reservedCapacity: Bytes
    allocatedCapacity: Bytes
    costStorageGBCents: str
    costEgressGBCents: str
    currency: str
    details: str | None = None


@routes.get("/contract/list", responses={200: {"model": list[DistributorContractResponse]}})
async def list_contracts(call: DistributorViewer, page: Paging) -> Response:
    """List your contracts.

    Capacities are in bytes, prices in cents per GB and month, as decimal text.
    """
    return Listing(
        call.database.streams, page, queries.contracts_of(call.actor.organisation_id), at_once=AtOnce(call.database.run)
    )

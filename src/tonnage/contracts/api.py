"""A distributor's contracts."""

from fastapi import APIRouter
from starlette.responses import Response

from tonnage.api_keys.guard import DistributorViewer
from tonnage.contracts import queries
from tonnage.web.json_list import JsonListResponse, Paging, SingleRow
from tonnage.web.routing import ApiRoute
from tonnage.web.schemas import Bytes, ResponseModel, with_example

routes = APIRouter(prefix="/v1", route_class=ApiRoute, tags=["Distributors"])


class DistributorContractResponse(ResponseModel):
    model_config = with_example(
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

    Capacities are in bytes; prices are decimal text in cents per GB and month.
    """
    return JsonListResponse(
        call.database.streams,
        page,
        queries.contracts_of(call.actor.organisation_id),
        at_once=SingleRow(call.database.run),
    )

"""A distributor's contracts."""

from fastapi import APIRouter
from starlette.responses import Response

from tonnage.api_keys.guard import DistributorViewer
from tonnage.contracts import queries
from tonnage.web.json_list import JsonListResponse, Paging, SingleRow
from tonnage.web.routing import ApiRoute
from tonnage.web.schemas import Bytes, ResponseModel, UuidText, with_example

routes = APIRouter(prefix="/v1", route_class=ApiRoute, tags=["Distributors"])


class DistributorContractResponse(ResponseModel):
    """A contract of a distributor."""

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

    id: UuidText
    """The contract's id."""
    distributorId: UuidText
    """The distributor that holds it."""
    reservedCapacity: Bytes
    """The capacity that it pays for, in bytes."""
    allocatedCapacity: Bytes
    """What is allocated to its partners, in bytes."""
    costStorageGBCents: str
    """The price of excess storage, in cents of `currency` per GB and month, as decimal text."""
    costEgressGBCents: str
    """The price of traffic to clients, in cents of `currency` per GB, as decimal text."""
    currency: str
    """The currency of its prices, as three letters (ISO 4217)."""
    details: str | None = None
    """Notes of the operator. Missing if there are none."""


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

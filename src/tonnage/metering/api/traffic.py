"""Reports of traffic, for partners and their distributors."""

from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from tonnage.accounts.actions import account_number, no_account
from tonnage.api_keys.guard import ApiRequest, DistributorViewer, PartnerViewer
from tonnage.metering import traffic_queries
from tonnage.usage.days import Days
from tonnage.usage.period import Period
from tonnage.web.responses import Json
from tonnage.web.routing import ApiRoute
from tonnage.web.schemas import Bytes, DayText, ResponseModel, UuidPath, with_example

routes = APIRouter(prefix="/ext/v1", route_class=ApiRoute)


class DailyTraffic(ResponseModel):
    model_config = with_example(
        {"date": "2026-03-01", "egress": 12_000_000_000, "ingress": 3_000_000_000, "requests": 48_210}
    )

    date: DayText
    egress: Bytes
    ingress: Bytes
    requests: Bytes


class ClientTraffic(ResponseModel):
    model_config = with_example(
        {
            "client_id": "482915730164",
            "name": "New customer",
            "daily_traffic": [
                {"date": "2026-03-01", "egress": 12_000_000_000, "ingress": 3_000_000_000, "requests": 48_210}
            ],
        }
    )

    client_id: str
    name: str
    daily_traffic: list[DailyTraffic]


@routes.get(
    "/partner/{partnerID}/storage-accounts/{accountID}/traffic",
    responses={200: {"model": ClientTraffic}},
    tags=["Distributors"],
)
async def get_partner_account_traffic(
    call: DistributorViewer, partnerID: UuidPath, accountID: str, days: Days
) -> Response:
    """Report the daily traffic of one of a partner's storage accounts.

    Bytes to and from clients, and requests; days without any are left out. The running day counts up to the last hour
    that is over.
    """
    return await _reported(call, partnerID, accountID, days)


@routes.get("/storage-account/{accountID}/traffic", responses={200: {"model": ClientTraffic}}, tags=["Partners"])
async def get_account_traffic(call: PartnerViewer, accountID: str, days: Days) -> Response:
    """Report the daily traffic of one of your storage accounts.

    Bytes to and from clients, and requests; days without any are left out. The running day counts up to the last hour
    that is over.
    """
    return await _reported(call, call.actor.organisation_id, accountID, days)


async def _reported(call: ApiRequest, partner_id: UUID, account: str, days: Period) -> Response:
    number = account_number(account)
    found = await call.database.run(
        traffic_queries.traffic_of_account, call.actor.organisation_id, partner_id, number, days
    )
    if found is None:
        raise no_account(number)
    return Json(found)

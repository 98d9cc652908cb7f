"""Traffic reports, for partners and their distributors."""

from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from tonnage.access.actor import Role
from tonnage.accounts.actions import account_number, no_account
from tonnage.api_keys.guard import ApiRequest
from tonnage.api_keys.partner_operation import partner_operation
from tonnage.metering import traffic_queries
from tonnage.usage.days import Days
from tonnage.web.responses import Json
from tonnage.web.routing import ApiRoute
from tonnage.web.schemas import AccountIdText, Bytes, DayText, ResponseModel, with_example

routes = APIRouter(prefix="/ext/v1", route_class=ApiRoute)


class DailyTraffic(ResponseModel):
    """The traffic of a day."""

    model_config = with_example(
        {"date": "2026-03-01", "egress": 12_000_000_000, "ingress": 3_000_000_000, "requests": 48_210}
    )

    date: DayText
    """The day, UTC."""
    egress: Bytes
    """Bytes to clients."""
    ingress: Bytes
    """Bytes from clients."""
    requests: Bytes
    """The number of requests."""


class ClientTraffic(ResponseModel):
    """The daily traffic of a storage account."""

    model_config = with_example(
        {
            "client_id": "482915730164",
            "name": "New customer",
            "daily_traffic": [
                {"date": "2026-03-01", "egress": 12_000_000_000, "ingress": 3_000_000_000, "requests": 48_210}
            ],
        }
    )

    client_id: AccountIdText
    """The account's id: 12 digits."""
    name: str
    """The account's name."""
    daily_traffic: list[DailyTraffic]
    """A value for each day of the period that had traffic."""


@partner_operation(
    routes.get,
    "/partner/{partnerID}/storage-accounts/{accountID}/traffic",
    "/storage-account/{accountID}/traffic",
    role=Role.VIEWER,
    for_distributor="Get the daily traffic of a partner's storage account.",
    responses={200: {"model": ClientTraffic}},
)
async def get_account_traffic(call: ApiRequest, partner_id: UUID, accountID: str, days: Days) -> Response:
    """Get the daily traffic of one of your storage accounts.

    Bytes to clients (`egress`), bytes from clients (`ingress`), and requests. Days without traffic are left out. The
    current day counts up to the last full hour.
    """
    number = account_number(accountID)
    found = await call.database.run(
        traffic_queries.traffic_of_account, call.actor.organisation_id, partner_id, number, days
    )
    if found is None:
        raise no_account(number)
    return Json(found)

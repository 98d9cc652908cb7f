"""Usage reports, for partners and their distributors."""

from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from tonnage.access.actor import Role
from tonnage.accounts.actions import account_number, no_account
from tonnage.api_keys.guard import ApiRequest
from tonnage.api_keys.partner_operation import partner_operation
from tonnage.error_codes import RequestCode
from tonnage.organisations.organisation import no_partner
from tonnage.usage import queries
from tonnage.usage.days import Days
from tonnage.utc import day_of
from tonnage.web.error_responses import refusals
from tonnage.web.json_list import JsonListResponse, Paging, SingleRow
from tonnage.web.responses import Json
from tonnage.web.routing import ApiRoute
from tonnage.web.schemas import AccountIdText, Bytes, DayText, ResponseModel, with_example

_POINTS_AT_ONCE = 20_000
"""About 1.4 MB of JSON: 645 accounts in a month, 50 in 400 days. Larger reports are streamed."""

routes = APIRouter(prefix="/v1", route_class=ApiRoute)


class DailyUsage(ResponseModel):
    """The usage of a day."""

    model_config = with_example(
        {"date": "2026-03-01", "allocated_capacity": 1_000_000_000_000, "usage": 640_000_000_000}
    )

    date: DayText
    """The day, UTC."""
    allocated_capacity: Bytes
    """The allocation at the end of the day, in bytes; 0 is pay-per-use."""
    usage: Bytes
    """The mean of the bytes stored over the whole day."""


class ClientUsage(ResponseModel):
    """The daily usage of a storage account."""

    model_config = with_example(
        {
            "client_id": "482915730164",
            "name": "New customer",
            "allocated_capacity": 1_000_000_000_000,
            "daily_usage": [{"date": "2026-03-01", "allocated_capacity": 1_000_000_000_000, "usage": 640_000_000_000}],
        }
    )

    client_id: AccountIdText
    """The account's id: 12 digits."""
    name: str
    """The account's name."""
    allocated_capacity: Bytes
    """The present allocation, in bytes; 0 is pay-per-use."""
    daily_usage: list[DailyUsage]
    """A value for each day of the period on which the account existed."""


@partner_operation(
    routes.get,
    "/partner/{partnerID}/usage",
    "/storage-accounts/usage",
    role=Role.VIEWER,
    for_distributor="Get the daily usage of all storage accounts of a partner.",
    openapi_extra=refusals(RequestCode.NOT_FOUND),
    responses={200: {"model": list[ClientUsage]}},
)
async def list_usage(call: ApiRequest, partner_id: UUID, days: Days, page: Paging) -> Response:
    """Get the daily usage of all your storage accounts.

    In bytes, including accounts deleted since.
    """
    select = queries.usage_of_partner(call.actor.organisation_id, partner_id, days, day_of(call.now))
    return JsonListResponse(
        call.database.streams,
        page,
        select,
        no_partner(partner_id),
        at_once=SingleRow(call.database.run, _POINTS_AT_ONCE // ((days.last - days.first).days + 1)),
    )


@partner_operation(
    routes.get,
    "/partner/{partnerID}/storage-accounts/{accountID}/usage",
    "/storage-account/{accountID}/usage",
    role=Role.VIEWER,
    for_distributor="Get the daily usage of a partner's storage account.",
    responses={200: {"model": ClientUsage}},
)
async def get_account_usage(call: ApiRequest, partner_id: UUID, accountID: str, days: Days) -> Response:
    """Get the daily usage of one of your storage accounts.

    In bytes.
    """
    number = account_number(accountID)
    found = await call.database.run(
        queries.usage_of_account, call.actor.organisation_id, partner_id, number, days, day_of(call.now)
    )
    if found is None:
        raise no_account(number)
    return Json(found)

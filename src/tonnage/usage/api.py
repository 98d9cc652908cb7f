"""Usage reports, for partners and their distributors. Two doors to each: they differ in who may come in."""

from datetime import UTC, date
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from tonnage.accounts.actions import account_number, no_account
from tonnage.api_keys.guard import ApiRequest, DistributorViewer, PartnerViewer
from tonnage.organisations.organisation import no_partner
from tonnage.usage import queries
from tonnage.usage.days import Days
from tonnage.usage.period import Period
from tonnage.web.json_list import JsonListResponse, Page, Paging, SingleRow
from tonnage.web.responses import Json
from tonnage.web.routing import ApiRoute
from tonnage.web.schemas import Bytes, DayText, ResponseModel, UuidPath, with_example

_POINTS_AT_ONCE = 20_000
"""About 1.4 MB of JSON: 645 accounts in a month, 50 in 400 days. Larger reports are streamed."""

routes = APIRouter(prefix="/v1", route_class=ApiRoute)


class DailyUsage(ResponseModel):
    model_config = with_example(
        {"date": "2026-03-01", "allocated_capacity": 1_000_000_000_000, "usage": 640_000_000_000}
    )

    date: DayText
    allocated_capacity: Bytes
    usage: Bytes


class ClientUsage(ResponseModel):
    model_config = with_example(
        {
            "client_id": "482915730164",
            "name": "New customer",
            "allocated_capacity": 1_000_000_000_000,
            "daily_usage": [{"date": "2026-03-01", "allocated_capacity": 1_000_000_000_000, "usage": 640_000_000_000}],
        }
    )

    client_id: str
    name: str
    allocated_capacity: Bytes
    daily_usage: list[DailyUsage]


@routes.get("/partner/{partnerID}/usage", responses={200: {"model": list[ClientUsage]}}, tags=["Distributors"])
async def list_partner_usage(call: DistributorViewer, partnerID: UuidPath, days: Days, page: Paging) -> Response:
    """Report the daily usage of a partner's storage accounts.

    In bytes; those deleted since are included.
    """
    return _listed(call, partnerID, days, page)


@routes.get("/storage-accounts/usage", responses={200: {"model": list[ClientUsage]}}, tags=["Partners"])
async def list_usage(call: PartnerViewer, days: Days, page: Paging) -> Response:
    """Report the daily usage of your storage accounts.

    In bytes; those deleted since are included.
    """
    return _listed(call, call.actor.organisation_id, days, page)


def _listed(call: ApiRequest, partner_id: UUID, days: Period, page: Page) -> Response:
    select = queries.usage_of_partner(call.actor.organisation_id, partner_id, days, _today(call))
    return JsonListResponse(
        call.database.streams,
        page,
        select,
        no_partner(partner_id),
        at_once=SingleRow(call.database.run, _POINTS_AT_ONCE // ((days.last - days.first).days + 1)),
    )


@routes.get(
    "/partner/{partnerID}/storage-accounts/{accountID}/usage",
    responses={200: {"model": ClientUsage}},
    tags=["Distributors"],
)
async def get_partner_account_usage(
    call: DistributorViewer, partnerID: UuidPath, accountID: str, days: Days
) -> Response:
    """Report the daily usage of one of a partner's storage accounts.

    In bytes.
    """
    return await _one(call, partnerID, accountID, days)


@routes.get("/storage-account/{accountID}/usage", responses={200: {"model": ClientUsage}}, tags=["Partners"])
async def get_account_usage(call: PartnerViewer, accountID: str, days: Days) -> Response:
    """Report the daily usage of one of your storage accounts.

    In bytes.
    """
    return await _one(call, call.actor.organisation_id, accountID, days)


async def _one(call: ApiRequest, partner_id: UUID, account: str, days: Period) -> Response:
    number = account_number(account)
    found = await call.database.run(
        queries.usage_of_account, call.actor.organisation_id, partner_id, number, days, _today(call)
    )
    if found is None:
        raise no_account(number)
    return Json(found)


def _today(call: ApiRequest) -> date:
    return call.now.astimezone(UTC).date()

"""When storage accounts, partners and contracts are full."""

import json
from typing import Literal
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from tonnage.accounts.actions import account_number, no_account
from tonnage.alerts.alert_level import AlertSubject
from tonnage.api_keys.guard import AnyViewer, ApiRequest, DistributorViewer
from tonnage.contracts.contract import no_contract
from tonnage.error_codes import RequestCode
from tonnage.errors import NotFound
from tonnage.forecasts.queries import forecast_of
from tonnage.organisations.organisation import no_partner
from tonnage.web.error_responses import refusals
from tonnage.web.responses import Json
from tonnage.web.routing import ApiRoute
from tonnage.web.schemas import DayText, ResponseModel, UuidPath, with_example

routes = APIRouter(prefix="/ext/v1", route_class=ApiRoute)

_EVERYBODYS = ["Distributors", "Partners", "Operators"]


class ForecastResponse(ResponseModel):
    """When something is full, or why that is not known."""

    model_config = with_example(
        {"earliest": "2027-02-03", "likely": "2027-02-24", "latest": "2027-03-20", "computedOn": "2026-12-01"}
    )

    earliest: DayText | None = None
    """With a probability of 10 percent it is full by then. This and the other days are missing where there is none."""
    likely: DayText | None = None
    """With 50 percent."""
    latest: DayText | None = None
    """With 90 percent. Missing beside the others: it may last for more than a year."""
    reason: (
        Literal["short_history", "growth_changes", "not_within_year", "full", "pay_per_use", "not_computed"] | None
    ) = None
    """Why there are no days: less than 45 days of use are known; the forecast of 30 days ago was wrong; it lasts for a
    year or more; it is full already; it is pay-per-use; it is new or its capacity was changed, and the next night
    computes it."""
    computedOn: DayText | None = None
    """From the use until the day before. Missing where it is not computed."""


@routes.get(
    "/storage-account/{accountID}/forecast",
    tags=[*_EVERYBODYS],
    responses={200: {"model": ForecastResponse}},
    openapi_extra=refusals(RequestCode.NOT_FOUND),
)
async def get_account_forecast(call: AnyViewer, accountID: str) -> Response:
    """Get the forecast of a storage account.

    When its use reaches its allocation. Computed every night.
    """
    number = account_number(accountID)
    return await _forecast(call, AlertSubject.ACCOUNT, number, no_account(number))


@routes.get(
    "/partner/{partnerID}/forecast",
    tags=[*_EVERYBODYS],
    responses={200: {"model": ForecastResponse}},
    openapi_extra=refusals(RequestCode.NOT_FOUND),
)
async def get_partner_forecast(call: AnyViewer, partnerID: UuidPath) -> Response:
    """Get the forecast of a partner.

    When the use of all its storage accounts reaches its allocation. Computed every night.
    """
    return await _forecast(call, AlertSubject.PARTNER, partnerID, no_partner(partnerID))


@routes.get(
    "/contract/{contractID}/forecast",
    tags=["Distributors"],
    responses={200: {"model": ForecastResponse}},
    openapi_extra=refusals(RequestCode.NOT_FOUND),
)
async def get_contract_forecast(call: DistributorViewer, contractID: UuidPath) -> Response:
    """Get the forecast of one of your contracts.

    When the use of all its partners reaches what it reserves. Computed every night.
    """
    return await _forecast(call, AlertSubject.CONTRACT, contractID, no_contract(contractID))


async def _forecast(call: ApiRequest, subject: AlertSubject, subject_id: int | UUID, missing: NotFound) -> Response:
    found = await call.database.run(forecast_of, call.actor.scope, subject, subject_id)
    if found is None:
        raise missing
    return Json(json.dumps(found.document()).encode())

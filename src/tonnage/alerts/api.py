"""Alert levels, and what has reached them."""

import json
from typing import Annotated, Literal

from fastapi import APIRouter, Body
from pydantic import Strict
from starlette.responses import Response

from tonnage.alerts import actions, queries
from tonnage.alerts.lists import alerts_of
from tonnage.api_keys.guard import AnyAdmin, AnyViewer
from tonnage.error_codes import RequestCode
from tonnage.idempotency.idempotent_route import IdempotentRoute
from tonnage.web.error_responses import refusals
from tonnage.web.json_list import JsonListResponse, Paging, SingleRow
from tonnage.web.responses import Json, NoContent
from tonnage.web.schemas import Bytes, RequestModel, ResponseModel, TimestampText, UuidText, with_example

routes = APIRouter(prefix="/ext/v1", route_class=IdempotentRoute, tags=["Distributors", "Partners", "Operators"])

_LEVELS = {"levels": [50, 80, 90, 100], "own": True}


class AlertLevelsReqBody(RequestModel):
    """The levels of an organisation."""

    model_config = with_example({"levels": [70, 90, 100]})

    levels: list[Annotated[int, Strict()]]
    """1 to 5 levels in percent, ascending, each 1 to 200."""


class AlertLevelsResponse(ResponseModel):
    """The levels that count for an organisation."""

    model_config = with_example(_LEVELS)

    levels: list[int]
    """Percent, ascending."""
    own: bool
    """Whether you have set them; else they are those of your distributor or operator, or the default."""


class AlertResponse(ResponseModel):
    """Something that has reached a level."""

    model_config = with_example(
        {
            "subject": "account",
            "subjectId": "482915730164",
            "name": "New customer",
            "organisationId": "9b5d1a60-6bd2-4c39-a7d5-2f36f1b0f9c3",
            "of": "capacity",
            "level": 90,
            "crossedAt": "2026-11-24T09:00:00Z",
            "used": 910_000_000_000,
            "capacity": 1_000_000_000_000,
        }
    )

    subject: Literal["account", "partner", "contract"]
    """What it is: a storage account, a partner or a contract."""
    subjectId: str
    """Its id."""
    name: str | None = None
    """Its name. Missing for a contract without one."""
    organisationId: UuidText
    """The partner of a storage account, the partner itself, the distributor of a contract."""
    of: Literal["capacity", "overdraft_cap"]
    """Of what: its capacity, or the cap of its overdraft or pay-per-use."""
    level: int
    """The highest level of that that it has reached, in percent."""
    crossedAt: TimestampText
    """When it was found to have reached that, UTC."""
    used: Bytes
    """What it used then, in bytes; of a cap, beyond its allocation."""
    capacity: Bytes
    """Its allocation, what the contract reserves, or the cap, in bytes."""


@routes.get("/alert-levels", responses={200: {"model": AlertLevelsResponse}})
async def get_alert_levels(call: AnyViewer) -> Response:
    """Get alert levels.

    The levels in percent of their capacity at which your storage accounts, your allocation and your contracts raise an
    alert.
    """
    found = await call.database.run(queries.levels_of, call.actor.organisation_id)
    return Json(json.dumps(found._asdict()).encode())


@routes.put("/alert-levels", status_code=204, openapi_extra=refusals(RequestCode.VALIDATION_FAILED))
async def set_alert_levels(
    call: AnyAdmin, levels: Annotated[AlertLevelsReqBody, Body(alias="alertLevels")]
) -> Response:
    """Set alert levels.

    What is above a new level already raises one alert.
    """
    await call.database.transaction(actions.set_levels, call.actor, levels.levels)
    return NoContent()


@routes.delete("/alert-levels", status_code=204)
async def delete_alert_levels(call: AnyAdmin) -> Response:
    """Delete alert levels.

    Those of your distributor or operator count again.
    """
    await call.database.transaction(actions.inherit_levels, call.actor)
    return NoContent()


@routes.get("/alerts", responses={200: {"model": list[AlertResponse]}})
async def list_alerts(call: AnyViewer, page: Paging) -> Response:
    """List alerts.

    What has reached a level and has not fallen five points below it since: of your organisation and its partners, in
    the order in which it happened, the highest level of each, and of its cap.
    """
    query = alerts_of(call.actor.scope)
    return JsonListResponse(call.database.streams, page, query, at_once=SingleRow(call.database.run))

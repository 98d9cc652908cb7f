"""The API of a sandbox's clock."""

import json
from typing import Annotated

from fastapi import APIRouter, Body
from starlette.responses import Response

from tonnage.api_keys.guard import OperatorAdmin, OperatorViewer
from tonnage.error_codes import ConflictCode, UnavailableCode
from tonnage.sandbox import actions
from tonnage.web.error_responses import refusals
from tonnage.web.responses import Json
from tonnage.web.routing import ApiRoute
from tonnage.web.schemas import RequestModel, ResponseModel, TimestampText, with_example
from tonnage.web.timestamps import Timestamp, timestamp_text

routes = APIRouter(prefix="/ext/v1", route_class=ApiRoute, tags=["Sandbox"])


class SandboxTime(ResponseModel):
    """The time of a sandbox."""

    model_config = with_example({"time": "2026-12-04T00:00:00Z"})

    time: TimestampText
    """The business time, UTC: days, months, terms, deletions and charges go by it."""


class AdvanceReqBody(RequestModel):
    """How far the clock is advanced."""

    model_config = with_example({"advanceTo": "2026-12-04T00:00:00Z"})

    advance_to: Timestamp
    """The new time, not before the present one; a day is its beginning, UTC."""


@routes.get(
    "/sandbox/clock",
    openapi_extra=refusals(ConflictCode.NOT_A_SANDBOX),
    responses={200: {"model": SandboxTime}},
)
async def get_clock(call: OperatorViewer) -> Response:
    """Get the time of the sandbox.

    With an operator's key.
    """
    actions.require_sandbox(call.services)
    return _clock(timestamp_text(call.now))


@routes.post(
    "/sandbox/clock",
    openapi_extra=refusals(
        ConflictCode.NOT_A_SANDBOX,
        ConflictCode.CLOCK_NEVER_BACK,
        ConflictCode.ADVANCE_IN_PROGRESS,
        UnavailableCode.ON_HOLD,
    ),
    responses={200: {"model": SandboxTime}},
)
async def advance_clock(call: OperatorAdmin, advance: Annotated[AdvanceReqBody, Body()]) -> Response:
    """Advance the clock of the sandbox.

    With an operator's key with the role admin. Day by day, it does what recurs: usage is sampled, due accounts are
    deleted, old days closed. The response comes when all of it is done: about a second for a month, longer with many
    accounts. If it is interrupted, the same request goes on.
    """
    return _clock(timestamp_text(await actions.advance(call.services, call.actor, advance.advance_to)))


def _clock(time: str) -> Response:
    return Json(json.dumps({"time": time}).encode())

"""The log of webhooks, and sending again."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body
from starlette.responses import Response

from tonnage.api_keys.guard import AnyAdmin
from tonnage.error_codes import RequestCode
from tonnage.errors import Invalid
from tonnage.idempotency.idempotent_route import IdempotentRoute
from tonnage.web.error_responses import refusals
from tonnage.web.json_list import JsonListResponse, Paging, SingleRow
from tonnage.web.responses import Json
from tonnage.web.schemas import Flag, RequestModel, ResponseModel, TimestampText, UuidPath, UuidText, with_example
from tonnage.web.timestamps import Timestamp
from tonnage.webhooks import actions, delivery_queries
from tonnage.webhooks.endpoint import no_endpoint, read_delivery_id

routes = APIRouter(prefix="/ext/v1/webhooks", route_class=IdempotentRoute, tags=["Webhooks"])

_CREATED = "2026-11-24T09:00:00Z"
_DELIVERY: dict[str, Any] = {
    "id": 4711,
    "eventId": "c1f0a5f2-7f3e-4b53-9d0c-6a2a6a54a1c7",
    "type": "account.over_allocation",
    "state": "pending",
    "attempts": 1,
    "createdAt": _CREATED,
    "attemptedAt": "2026-11-24T09:00:02Z",
    "nextAttemptAt": "2026-11-24T09:00:07Z",
    "milliseconds": 212,
    "status": 503,
    "detail": "Try again later",
}


class ReplayReqBody(RequestModel):
    """What is sent again."""

    model_config = with_example({"since": "2026-11-24T08:00:00Z", "failedOnly": True})

    since: Timestamp
    """From when on: events whose deliveries were made at this time or later."""
    failed_only: Flag = False
    """Whether only those that are not tried any more are sent."""


class DeliveryResponse(ResponseModel):
    """An event on its way to a webhook."""

    model_config = with_example(_DELIVERY)

    id: int
    """Its id."""
    eventId: UuidText
    """The id of the event, which is the header `webhook-id` too."""
    type: str
    """The type of the event."""
    state: Literal["pending", "delivered", "failed"]
    """Whether it is still to be sent, has arrived, or is not tried any more."""
    attempts: int
    """How often it was sent."""
    createdAt: TimestampText
    """When it was made, UTC."""
    attemptedAt: TimestampText | None = None
    """When it was sent last, UTC."""
    nextAttemptAt: TimestampText | None = None
    """When it is sent next, UTC."""
    milliseconds: int | None = None
    """How long the last attempt took."""
    status: int | None = None
    """The status of the last response. Missing if there was none."""
    detail: str | None = None
    """The first KB of that response, or why there was none."""


class ReplayResponse(ResponseModel):
    """What is sent again."""

    model_config = with_example({"events": 12})

    events: int
    """How many events."""


@routes.post(
    "/{webhookID}/test",
    status_code=201,
    responses={201: {"model": DeliveryResponse}},
    openapi_extra=refusals(RequestCode.NOT_FOUND),
)
async def send_webhook_test(call: AnyAdmin, webhookID: UuidPath) -> Response:
    """Send a test event to a webhook.

    Its type is `webhook.test`. It is sent within seconds; the response is its delivery.
    """
    now = call.services.wall_clock()
    return Json(await call.database.transaction(actions.send_test, call.actor, webhookID, now), 201)


@routes.get(
    "/{webhookID}/deliveries",
    responses={200: {"model": list[DeliveryResponse]}},
    openapi_extra=refusals(RequestCode.NOT_FOUND),
)
async def list_deliveries(call: AnyAdmin, webhookID: UuidPath, page: Paging) -> Response:
    """List deliveries of a webhook.

    The log of the last 30 days, oldest first.
    """
    query = delivery_queries.deliveries_of(call.actor.organisation_id, webhookID)
    missing = no_endpoint(webhookID)
    return JsonListResponse(call.database.streams, page, query, missing, at_once=SingleRow(call.database.run))


@routes.post(
    "/{webhookID}/deliveries/{deliveryID}/replay",
    responses={200: {"model": ReplayResponse}},
    openapi_extra=refusals(RequestCode.NOT_FOUND),
)
async def replay_delivery(call: AnyAdmin, webhookID: UuidPath, deliveryID: str) -> Response:
    """Send a delivery again.

    With the same event and id as before.
    """
    number, now = read_delivery_id(deliveryID), call.services.wall_clock()
    count = await call.database.transaction(actions.replay, call.actor, webhookID, now, delivery_id=number)
    return Json(f'{{"events": {count}}}'.encode())


@routes.post(
    "/{webhookID}/replay", responses={200: {"model": ReplayResponse}}, openapi_extra=refusals(RequestCode.NOT_FOUND)
)
async def replay_deliveries(
    call: AnyAdmin, webhookID: UuidPath, body: Annotated[ReplayReqBody, Body(alias="replay")]
) -> Response:
    """Send deliveries again.

    All since a time, or those that are not tried any more.
    """
    now = call.services.wall_clock()
    if body.since > now:
        raise Invalid.field("since", "must not be in the future")
    count = await call.database.transaction(
        actions.replay, call.actor, webhookID, now, since=body.since, failed_only=body.failed_only
    )
    return Json(f'{{"events": {count}}}'.encode())

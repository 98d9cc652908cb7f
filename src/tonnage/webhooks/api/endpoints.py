"""Where an organisation gets its events: endpoints and their secrets."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body
from pydantic import Field
from starlette.responses import Response

from tonnage.api_keys.guard import AnyAdmin, AnyViewer
from tonnage.error_codes import ConflictCode, RequestCode
from tonnage.idempotency.idempotent_route import IdempotentRoute
from tonnage.web.error_responses import refusals
from tonnage.web.json_list import JsonListResponse, Paging, SingleRow
from tonnage.web.responses import Json, NoContent
from tonnage.web.schemas import (
    Flag,
    Name,
    RequestModel,
    ResponseModel,
    Text,
    TimestampText,
    UrlText,
    UuidPath,
    UuidText,
    with_example,
)
from tonnage.webhooks import actions, queries
from tonnage.webhooks.endpoint import EndpointChange

routes = APIRouter(prefix="/ext/v1/webhooks", route_class=IdempotentRoute, tags=["Webhooks"])

_ID = "4f6c2f4e-6d3a-4b80-9a6b-0d6f2f8f4b11"
_SECRET_ID = "0a7d5d6b-2c8f-4e0e-8a1b-8f5f2f0c9d22"  # noqa: S105  an id
_CREATED = "2026-11-24T09:00:00Z"
_ENDPOINT: dict[str, Any] = {
    "id": _ID,
    "url": "https://example.com/hooks/tonnage",
    "description": "Our ticket system",
    "types": ["account.over_allocation", "statement.received"],
    "enabled": True,
    "createdAt": _CREATED,
    "publicKey": "whpk_fDUKVQJ9v4d0zYh3GEAP0jCGqJ4pDcVSpyZ6R8e3W7A=",
    "secrets": [{"id": _SECRET_ID, "createdAt": _CREATED}],
}
_KEPT_SECRET = "Shown only in this response. Receivers verify messages with it."  # noqa: S105  a sentence


class CreateWebhookReqBody(RequestModel):
    """A webhook."""

    model_config = with_example(
        {"url": "https://example.com/hooks/tonnage", "description": "Our ticket system", "types": ["key.expiring"]}
    )

    url: Text
    """Where events are sent: https, the port 443 or 8443, an address of the public internet."""
    description: Name | None = None
    """What it is for: 1 to 200 characters."""
    types: list[Text] = Field(default_factory=list[Text], max_length=100)
    """The types of events that are sent; without them, all that you can see."""


class ChangeWebhookReqBody(RequestModel):
    """The fields of a webhook that change."""

    model_config = with_example({"types": [], "enabled": True})

    url: Text | None = None
    """Where events are sent."""
    description: Text | None = Field(default=None, max_length=200)
    """What it is for; an empty text is none."""
    types: list[Text] | None = Field(default=None, max_length=100)
    """The types of events that are sent; none are all."""
    enabled: Flag | None = None
    """Whether events are sent."""


class WebhookSecretResponse(ResponseModel):
    """A secret of a webhook, without itself."""

    model_config = with_example({"id": _SECRET_ID, "createdAt": _CREATED})

    id: UuidText
    """Its id."""
    createdAt: TimestampText
    """When it was made, UTC."""


class WebhookResponse(ResponseModel):
    """A webhook."""

    model_config = with_example(_ENDPOINT)
    has_revision = True

    id: UuidText
    """Its id."""
    url: UrlText
    """Where events are sent."""
    description: str | None = None
    """What it is for."""
    types: list[str] | None = None
    """The types of events that are sent. Missing: all that you can see."""
    enabled: bool
    """Whether events are sent."""
    disabledReason: Literal["by_person", "gone", "failing"] | None = None
    """Why not: a person has disabled it, it has answered 410, or for five days nothing has succeeded."""
    disabledAt: TimestampText | None = None
    """Since when, UTC."""
    failingSince: TimestampText | None = None
    """Since when nothing has succeeded, UTC. Missing if the last attempt did."""
    createdAt: TimestampText
    """When it was made, UTC."""
    publicKey: str
    """The public key of the signatures `v1a`."""
    secrets: list[WebhookSecretResponse]
    """The secrets of the signatures `v1`, at most two, the newest first."""


class CreatedWebhookResponse(WebhookResponse):
    """A webhook with a new secret."""

    has_revision = False
    model_config = with_example({**_ENDPOINT, "secretKey": "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"})

    secretKey: Annotated[str, Field(description=_KEPT_SECRET)]


@routes.get("", responses={200: {"model": list[WebhookResponse]}})
async def list_webhooks(call: AnyViewer, page: Paging) -> Response:
    """List webhooks.

    Those of your organisation, without their secrets.
    """
    query = queries.endpoints_of(call.actor.organisation_id)
    return JsonListResponse(call.database.streams, page, query, at_once=SingleRow(call.database.run))


@routes.post(
    "",
    status_code=201,
    responses={201: {"model": CreatedWebhookResponse}},
    openapi_extra=refusals(ConflictCode.TOO_MANY_WEBHOOKS, ConflictCode.NO_SECRET_KEY, ConflictCode.SECRET_NOT_KEPT),
)
async def create_webhook(call: AnyAdmin, body: Annotated[CreateWebhookReqBody, Body(alias="webhook")]) -> Response:
    """Create a webhook.

    It gets the events from now on. The response has its secret, which is not shown again.
    """
    change = EndpointChange(body.url, body.description or "", tuple(body.types))
    now = call.services.wall_clock()
    made = await call.database.transaction(actions.create_endpoint, call.services, call.actor, change, now)
    return Json(made.json, 201)


@routes.get("/{webhookID}", responses={200: {"model": WebhookResponse}}, openapi_extra=refusals(RequestCode.NOT_FOUND))
async def get_webhook(call: AnyViewer, webhookID: UuidPath) -> Response:
    """Get a webhook.

    Without its secrets.
    """
    found = await call.database.run(actions.find, call.actor, webhookID)
    return Json(found.json, revision=found.revision)


@routes.patch(
    "/{webhookID}",
    responses={200: {"model": WebhookResponse}},
    openapi_extra=refusals(RequestCode.NOT_FOUND, RequestCode.PRECONDITION_FAILED, ConflictCode.NO_SECRET_KEY),
)
async def change_webhook(
    call: AnyAdmin, webhookID: UuidPath, body: Annotated[ChangeWebhookReqBody, Body(alias="webhookChange")]
) -> Response:
    """Change a webhook.

    Fields that are left out stay as they are. What waits for a webhook that is disabled is sent when it is enabled
    again.
    """
    change = EndpointChange(body.url, body.description, None if body.types is None else tuple(body.types), body.enabled)
    now = call.services.wall_clock()
    changed = await call.database.run(
        actions.change_endpoint, call.services, call.actor, webhookID, change, now, revision=call.revision
    )
    return Json(changed.json, revision=changed.revision)


@routes.delete(
    "/{webhookID}",
    status_code=204,
    openapi_extra=refusals(RequestCode.NOT_FOUND, RequestCode.PRECONDITION_FAILED),
)
async def delete_webhook(call: AnyAdmin, webhookID: UuidPath) -> Response:
    """Delete a webhook.

    With its log, and with what still waits for it.
    """
    await call.database.transaction(actions.delete_endpoint, call.actor, webhookID, revision=call.revision)
    return NoContent()


@routes.post(
    "/{webhookID}/secrets",
    status_code=201,
    responses={201: {"model": CreatedWebhookResponse}},
    openapi_extra=refusals(
        RequestCode.NOT_FOUND,
        ConflictCode.TOO_MANY_WEBHOOKS,
        ConflictCode.NO_SECRET_KEY,
        ConflictCode.SECRET_NOT_KEPT,
    ),
)
async def create_webhook_secret(call: AnyAdmin, webhookID: UuidPath) -> Response:
    """Create a secret of a webhook.

    Messages are signed with both until you revoke the older one, so that receivers can change over in between.
    """
    now = call.services.wall_clock()
    made = await call.database.transaction(actions.add_secret, call.services, call.actor, webhookID, now)
    return Json(made.json, 201)


@routes.delete("/{webhookID}/secrets/{secretID}", status_code=204, openapi_extra=refusals(RequestCode.NOT_FOUND))
async def revoke_webhook_secret(call: AnyAdmin, webhookID: UuidPath, secretID: UuidPath) -> Response:
    """Revoke a secret of a webhook.

    One of two: the only one stays.
    """
    await call.database.transaction(actions.revoke_secret, call.actor, webhookID, secretID)
    return NoContent()

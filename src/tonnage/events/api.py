"""The feed of events."""

import json
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response

from tonnage.api_keys.guard import AnyViewer
from tonnage.error_codes import RequestCode
from tonnage.events import actions
from tonnage.events.event_feed import MOST, FeedReader
from tonnage.events.registry import types_for
from tonnage.web.error_responses import refusals
from tonnage.web.page_links import next_link
from tonnage.web.responses import Json
from tonnage.web.routing import ApiRoute
from tonnage.web.schemas import ResponseModel, TimestampText, UuidPath, UuidText, with_example

routes = APIRouter(prefix="/ext/v1", route_class=ApiRoute, tags=["Events"])

_PARTNER = "9b5d1a60-6bd2-4c39-a7d5-2f36f1b0f9c3"
_EVENT: dict[str, Any] = {
    "id": "c1f0a5f2-7f3e-4b53-9d0c-6a2a6a54a1c7",
    "type": "partner.updated",
    "timestamp": "2026-11-24T09:00:00.214Z",
    "data": {
        "organisationId": _PARTNER,
        "subjectId": _PARTNER,
        "revision": 4,
        "actor": {"kind": "member", "organisationId": "7e1fe78d-3f61-4215-8c48-eda9e1b08f13"},
        "before": {"allocatedCapacity": 5_000_000_000_000},
        "after": {"allocatedCapacity": 8_000_000_000_000},
    },
}


class EventActorResponse(ResponseModel):
    """Who has caused an event."""

    model_config = with_example(_EVENT["data"]["actor"])

    kind: str
    """`member`, `key` (an API key), `cli` (the operator's command line), or `job` if nobody has."""
    organisationId: UuidText | None = None
    """The organisation of the member or key."""


class EventDataResponse(ResponseModel):
    """What has happened."""

    model_config = with_example(_EVENT["data"])

    organisationId: UuidText
    """The organisation that it belongs to: yours, or one of your partners."""
    subjectId: str
    """The id of what the type names first: of an access key its storage account, of a region its name."""
    revision: int | None = None
    """Of the partner or storage account after the change. Events may reach you in another order than they happened:
    ignore one whose revision is lower than one that you know."""
    actor: EventActorResponse
    """Who has caused it."""
    before: dict[str, Any] | None = None
    """The fields that have changed, as they were. Missing where nothing was before."""
    after: dict[str, Any] | None = None
    """The fields as they are since. Missing where nothing is left."""
    statement: dict[str, Any] | None = None
    """Of an event about a statement or a credit note: what never changes of it, as in GET /ext/v1/statements, and the
    `path` of the whole of it."""
    isShortened: bool | None = None
    """True where `before` and `after` were left out because they are too long; read the object itself."""


class EventResponse(ResponseModel):
    """Something that has happened."""

    model_config = with_example(_EVENT)

    id: UuidText
    """Its id, the same each time that you read or receive it."""
    type: str
    """What has happened. GET /ext/v1/event-types lists the types."""
    timestamp: TimestampText
    """When, UTC."""
    data: EventDataResponse
    """The details."""


class EventTypeResponse(ResponseModel):
    """A type of events."""

    model_config = with_example({"type": "partner.updated", "description": "Changed partner"})

    type: str
    """The type."""
    description: str
    """What has happened, in English."""


@routes.get(
    "/events",
    responses={
        200: {
            "model": list[EventResponse],
            "headers": {
                "Link": {
                    "schema": {"type": "string"},
                    "description": 'Where to read on, with `rel="next"`: now if the page is full, later if not.',
                }
            },
        }
    },
    openapi_extra=refusals(RequestCode.EVENTS_EXPIRED),
)
async def list_events(
    call: AnyViewer,
    after: Annotated[
        UuidPath | None, Query(description="The id of an event: those after it. Without it, the oldest that are kept.")
    ] = None,
    types: Annotated[
        str | None,
        Query(description="The types to read, separated by commas. Without it, all.", examples=["key.created"]),
    ] = None,
    limit: Annotated[int, Query(ge=1, le=MOST, description="The greatest number of events.")] = 100,
) -> Response:
    """List events.

    What has happened in your organisation and its partners, oldest first, for 30 days. An event appears a few seconds
    after the change, and never before one that you have read already: read on with the address in the `Link` header,
    which leads on even if the page is empty, and you miss nothing. If you were away for longer than events are kept,
    the response is 410.
    """
    reader = FeedReader.of(call.actor)
    wanted = reader.types([] if types is None else types.split(","))
    page = await call.database.run(actions.read_feed, reader, after, wanted, limit, call.services.wall_clock())
    body = b"[" + b",".join(event.body for event in page.events) + b"]"
    response = Json(body)
    if page.next is not None:
        response.headers["Link"] = next_link(call.request.scope, after=page.next)
    return response


@routes.get("/event-types", responses={200: {"model": list[EventTypeResponse]}})
async def list_event_types(call: AnyViewer) -> Response:
    """List types of events.

    The types of the events that your organisation can see.
    """
    found = [{"type": event.type, "description": event.label} for event in types_for(call.actor.kind)]
    return Json(json.dumps(found).encode())

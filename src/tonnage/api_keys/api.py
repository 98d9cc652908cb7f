"""What a key is, for the program that uses it."""

from typing import Literal

from fastapi import APIRouter
from starlette.responses import Response

from tonnage import __version__
from tonnage.api_keys import queries
from tonnage.api_keys.guard import AnyViewer
from tonnage.error_codes import RequestCode
from tonnage.errors import Unauthenticated
from tonnage.web.responses import Json
from tonnage.web.routing import ApiRoute
from tonnage.web.schemas import ResponseModel, TimestampText, UuidText, with_example

routes = APIRouter(prefix="/ext/v1", route_class=ApiRoute, tags=["Distributors", "Partners"])

_API = "v1"


class KeyOrganisation(ResponseModel):
    """The organisation that a key belongs to."""

    id: UuidText
    """The organisation's id."""
    name: str
    """Its name."""


class KeyDetails(ResponseModel):
    """An API key."""

    id: UuidText
    """The key's id; not the key itself."""
    description: str
    """What it is for."""
    validUntil: TimestampText | None = None
    """When it expires, UTC. Missing if it does not."""


class Versions(ResponseModel):
    """The versions of the installation."""

    program: str
    """The version of Tonnage."""
    api: str
    """The version of the published API."""


class MeResponse(ResponseModel):
    """What a key is."""

    model_config = with_example(
        {
            "organisation": {"id": "4b14e456-ef23-46ed-9070-f5eaf1b5ef04", "name": "New partner company"},
            "kind": "partner",
            "role": "viewer",
            "key": {
                "id": "0d3b1c66-52a5-4a43-8d52-6d1d8f6f0a3b",
                "description": "Invoices",
                "validUntil": "2027-06-30T00:00:00Z",
            },
            "versions": {"program": "0.2.0", "api": "v1"},
        }
    )

    organisation: KeyOrganisation
    """The organisation that it belongs to."""
    kind: Literal["operator", "distributor", "partner"]
    """The kind of that organisation."""
    role: Literal["admin", "staff", "viewer"]
    """What the key may do; each role includes those below it."""
    key: KeyDetails
    """The key."""
    versions: Versions
    """The versions of the installation."""


@routes.get("/me", responses={200: {"model": MeResponse}})
async def get_me(call: AnyViewer) -> Response:
    """Get what your key is.

    Its organisation, the kind of that organisation, the key's role and expiry time, and the versions of Tonnage and of
    the API. A key without `validUntil` does not expire.
    """
    found = await call.database.run(queries.key_details, call.actor.via_id, __version__, _API)
    if found is None:
        raise Unauthenticated("The organisation of this API key has been closed.", RequestCode.KEY_REVOKED)
    return Json(found)

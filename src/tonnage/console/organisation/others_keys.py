"""The API keys of a distributor or partner, for the organisations above it: seen and revoked, never created."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, TypeAlias
from uuid import UUID

from fastapi import APIRouter, Depends
from starlette.responses import Response

from tonnage.console.organisation.key_limit import a_second
from tonnage.console.organisation.keys import revoke, rows_of
from tonnage.console.page_request import PageRequest
from tonnage.console.rendering import gettext
from tonnage.web.routing import AuthFirstRoute
from tonnage.web.schemas import UuidPath


@dataclass(frozen=True)
class KeyHolder:
    """An organisation, and where the list of its keys is."""

    page: PageRequest
    organisation_id: UUID
    path: str
    crumbs: list[tuple[str, str]]
    """The way to the list, without it."""
    render: Callable[..., Response]
    """Renders the list, with `rows`, `holder` and `a_second`."""


KeyHolderGuard: TypeAlias = Callable[..., Awaitable[KeyHolder]]
"""A dependency: its first parameter is a page of the role that is needed, the others come from the path."""


def others_key_routes(prefix: str, guard: KeyHolderGuard) -> APIRouter:
    """The list, and the revocation of a key."""
    routes = APIRouter(prefix=f"{prefix}/keys", route_class=AuthFirstRoute, include_in_schema=False)

    async def keys(holder: Annotated[KeyHolder, Depends(guard)]) -> Response:
        rows = await rows_of(holder.page, holder.organisation_id)
        return holder.render(rows=rows, holder=holder, a_second=a_second)

    async def revocation(holder: Annotated[KeyHolder, Depends(guard)], keyID: UuidPath) -> Response:
        crumbs = [*holder.crumbs, (gettext("API keys"), holder.path)]
        return await revoke(holder.page, holder.organisation_id, keyID, holder.path, crumbs)

    routes.add_api_route("", keys, methods=["GET"])
    for method in ("GET", "POST"):
        routes.add_api_route("/{keyID}/revocation", revocation, methods=[method])
    return routes

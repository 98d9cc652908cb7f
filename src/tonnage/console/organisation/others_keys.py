"""The API keys of a distributor or partner, for the organisations above it: seen and revoked, never created.

The operator also changes their limits.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, TypeAlias
from uuid import UUID

from fastapi import APIRouter, Depends
from starlette.responses import Response

from tonnage.console.organisation.key_limit import change_limit, format_limit
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
    """Renders the list, with `rows`, `holder`, `format_limit` and `may_limit`."""


KeyHolderGuard: TypeAlias = Callable[..., Awaitable[KeyHolder]]
"""A dependency: its first parameter is a page of the role that is needed, the others come from the path."""


def others_key_routes(prefix: str, guard: KeyHolderGuard, *, may_limit: bool = False) -> APIRouter:
    """The list, the revocation of a key, and its limit for those who `may_limit` it."""
    routes = APIRouter(prefix=f"{prefix}/keys", route_class=AuthFirstRoute, include_in_schema=False)

    async def keys(holder: Annotated[KeyHolder, Depends(guard)]) -> Response:
        rows = await rows_of(holder.page, holder.organisation_id)
        return holder.render(rows=rows, holder=holder, format_limit=format_limit, may_limit=may_limit)

    async def revocation(holder: Annotated[KeyHolder, Depends(guard)], keyID: UuidPath) -> Response:
        return await revoke(holder.page, holder.organisation_id, keyID, holder.path, _crumbs(holder))

    async def limit(holder: Annotated[KeyHolder, Depends(guard)], keyID: UuidPath) -> Response:
        return await change_limit(holder.page, holder.organisation_id, keyID, holder.path, _crumbs(holder))

    routes.add_api_route("", keys, methods=["GET"])
    for method in ("GET", "POST"):
        routes.add_api_route("/{keyID}/revocation", revocation, methods=[method])
        if may_limit:
            routes.add_api_route("/{keyID}/limit", limit, methods=[method])
    return routes


def _crumbs(holder: KeyHolder) -> list[tuple[str, str]]:
    return [*holder.crumbs, (gettext("API keys"), holder.path)]

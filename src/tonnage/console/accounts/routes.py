"""The routes of one storage account's pages. An audience puts them up under an address of its own:

    async def _staff(visit: PartnerStaff, accountID: str) -> Place: ...

    routes = account_routes("/partner/accounts/{accountID}", reading=_staff, changing=_staff, deleting=_admin)

Whom they let in is up to these three, which say where the pages are; the pages themselves ask only for what they show.
"""

from collections.abc import Awaitable, Callable
from typing import Annotated, TypeAlias

from fastapi import APIRouter, Depends
from starlette.responses import Response

from tonnage.console.accounts import deletion, detail, key_deletion, keys, password, settings, suspension
from tonnage.console.accounts.place import Place
from tonnage.web.route import Door

Entrance: TypeAlias = Callable[..., Awaitable[Place]]
"""A dependency: its first parameter is a visit of the role that is needed, the others come from the path."""

Page: TypeAlias = Callable[[Place], Awaitable[Response]]


def account_routes(prefix: str, *, reading: Entrance, changing: Entrance, deleting: Entrance) -> APIRouter:
    """All pages of one storage account; `prefix` ends in its number."""
    routes = APIRouter(prefix=prefix, route_class=Door, include_in_schema=False)

    def put_up(path: str, entrance: Entrance, show: Page, do: Page | None = None) -> None:
        routes.add_api_route(path, _behind(entrance, show), methods=["GET"])
        if do is not None:
            routes.add_api_route(path, _behind(entrance, do), methods=["POST"])

    put_up("", reading, detail.show)
    put_up("/usage.csv", reading, detail.days_file)
    put_up("/access-keys", reading, keys.show)
    put_up("/access-keys/new", changing, keys.ask, keys.create)
    put_up("/access-keys/{accessKey}/delete", changing, key_deletion.ask, key_deletion.delete)
    put_up("/settings", changing, settings.show, settings.change)
    put_up("/password", changing, password.ask, password.change)
    put_up("/suspend", changing, suspension.ask, suspension.suspend)
    put_up("/resume", changing, suspension.ask_resuming, suspension.resume)
    put_up("/delete", deleting, deletion.ask, deletion.delete)
    put_up("/restore", changing, deletion.ask_restoring, deletion.restore)
    return routes


def _behind(entrance: Entrance, page: Page) -> Callable[[Place], Awaitable[Response]]:
    async def answer(place: Annotated[Place, Depends(entrance)]) -> Response:
        return await page(place)

    return answer

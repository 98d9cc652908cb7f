"""The routes of one storage account's pages. An audience adds them under a path of its own:

    async def _staff(page: PartnerStaff, accountID: str) -> AccountContext: ...

    routes = account_routes("/partner/accounts/{accountID}", reading=_staff, changing=_staff, deleting=_admin)

Whom they let in is up to these three, which say where the pages are; the pages themselves ask only for what they show.
"""

from collections.abc import Awaitable, Callable
from typing import Annotated, TypeAlias

from fastapi import APIRouter, Depends
from starlette.responses import Response

from tonnage.console.accounts import (
    deletion,
    detail,
    key_deletion,
    keys,
    overdraft_cap,
    override,
    password,
    settings,
    suspension,
)
from tonnage.console.accounts.scope import AccountContext
from tonnage.web.routing import AuthFirstRoute

Guard: TypeAlias = Callable[..., Awaitable[AccountContext]]
"""A dependency: its first parameter is a page of the role that is needed, the others come from the path."""

PageHandler: TypeAlias = Callable[[AccountContext], Awaitable[Response]]


def account_routes(
    prefix: str, *, reading: Guard, changing: Guard, deleting: Guard, capping: Guard | None = None
) -> APIRouter:
    """All pages of one storage account; `prefix` ends in its number. Without `capping` there is none of its cap."""
    routes = APIRouter(prefix=prefix, route_class=AuthFirstRoute, include_in_schema=False)

    def add_page(path: str, guard: Guard, show: PageHandler, submit: PageHandler | None = None) -> None:
        routes.add_api_route(path, _guarded(guard, show), methods=["GET"])
        if submit is not None:
            routes.add_api_route(path, _guarded(guard, submit), methods=["POST"])

    def add_question(path: str, guard: Guard, handler: PageHandler) -> None:
        add_page(path, guard, handler, handler)

    add_page("", reading, detail.show)
    add_page("/usage.csv", reading, detail.days_file)
    add_page("/access-keys", reading, keys.show)
    add_page("/access-keys/new", changing, keys.ask, keys.create)
    add_question("/access-keys/{accessKey}/delete", changing, key_deletion.delete)
    add_page("/settings", changing, settings.show, settings.change)
    add_page("/override", changing, override.show, override.grant)
    add_question("/override/end", changing, override.end)
    if capping is not None:
        add_page("/overdraft-cap", capping, overdraft_cap.show, overdraft_cap.change)
    add_page("/password", changing, password.ask, password.change)
    add_question("/suspend", changing, suspension.suspend)
    add_question("/resume", changing, suspension.resume)
    add_question("/delete", deleting, deletion.delete)
    add_question("/restore", changing, deletion.restore)
    return routes


def _guarded(guard: Guard, handler: PageHandler) -> Callable[[AccountContext], Awaitable[Response]]:
    async def answer(context: Annotated[AccountContext, Depends(guard)]) -> Response:
        return await handler(context)

    return answer

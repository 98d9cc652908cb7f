from typing import Annotated

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI, Request
from starlette.responses import Response

from tonnage.error_codes import RequestCode
from tonnage.errors import Unauthenticated
from tonnage.web.routing import AuthDependency, AuthFirstRoute, mount

pytestmark = pytest.mark.anyio


async def status(app: FastAPI, method: str, path: str, content: str | None = None) -> int:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://t") as client:
        return (await client.request(method, path, content=content)).status_code


async def test_an_early_check_is_asked_once_per_request(bare: FastAPI) -> None:
    asked: list[str] = []

    async def check(request: Request) -> int:
        asked.append(request.url.path)
        return len(asked)

    early = AuthDependency(check)

    async def through(count: Annotated[int, Depends(early)]) -> int:
        return count

    routes = APIRouter(route_class=AuthFirstRoute)

    @routes.get("/x")
    async def handler(count: Annotated[int, Depends(early)], again: Annotated[int, Depends(through)]) -> Response:
        assert count == again
        return Response()

    mount(bare, routes)
    assert await status(bare, "GET", "/x") == 200
    assert await status(bare, "GET", "/x") == 200
    assert asked == ["/x", "/x"]


async def test_a_check_inside_another_dependency_is_early_too(bare: FastAPI) -> None:
    async def check(_: Request) -> None:
        raise Unauthenticated("Authorization header is missing", RequestCode.AUTHORIZATION_MISSING)

    async def inner(_: Annotated[None, Depends(AuthDependency(check))]) -> None: ...

    routes = APIRouter(route_class=AuthFirstRoute)

    @routes.post("/x")
    async def handler(caller: Annotated[None, Depends(inner)], body: dict[str, int]) -> Response:
        return Response()

    mount(bare, routes)
    assert await status(bare, "POST", "/x", content="[") == 401


async def test_doors_also_work_in_an_included_router() -> None:
    outer = FastAPI(openapi_url=None, redirect_slashes=False)
    routes = APIRouter(route_class=AuthFirstRoute)

    @routes.get("/a/{x}")
    async def handler(x: int) -> Response:
        return Response()

    outer.include_router(routes, prefix="/p")
    assert await status(outer, "GET", "/p/a/1") == 200


async def test_routes_that_the_switch_does_not_index_are_found(bare: FastAPI) -> None:
    routes = APIRouter(route_class=AuthFirstRoute)

    @routes.get("/files/{path:path}")
    async def file(path: str) -> Response:
        return Response(path)

    @routes.get("/number/{n:int}")
    async def number(n: int) -> Response:
        return Response()

    mount(bare, routes)
    assert await status(bare, "GET", "/files/a/b/c") == 200
    assert await status(bare, "GET", "/number/5") == 200
    assert await status(bare, "GET", "/number/x") == 404
    assert await status(bare, "POST", "/files/a/b") == 405


async def test_behind_a_prefix(api: FastAPI) -> None:
    transport = httpx.ASGITransport(api, root_path="/tonnage")
    async with httpx.AsyncClient(transport=transport, base_url="http://t", headers={"Authorization": "x"}) as client:
        assert (await client.get("/tonnage/v1/thing/list")).status_code == 403

from collections.abc import AsyncGenerator
from typing import Annotated, TypeAlias

import httpx
import pytest
from fastapi import APIRouter, Body, Depends, FastAPI, Path, Query, Request
from starlette.responses import Response

from tonnage.error_codes import ConflictCode, RequestCode, UnavailableCode
from tonnage.errors import Conflict, Forbidden, NotFound, Throttled, Unauthenticated, Unavailable
from tonnage.web import problem
from tonnage.web.middleware import RequestMiddleware
from tonnage.web.page_links import NextPageLinks
from tonnage.web.routing import ApiRoute, AuthDependency, mount
from tonnage.web.schemas import Capacity, Day, Email, Flag, Name, RequestModel, ResponseModel, Text, UuidBody, UuidPath


class ClientAccount(RequestModel):
    contact_email: Email
    password: Text


class CreateThing(RequestModel):
    name: Name
    allocated_capacity: Capacity
    contract_id: UuidBody
    allow_overdraft: Flag | None = None
    client_account: ClientAccount | None = None


class ThingResponse(ResponseModel):
    id: str
    allow_overdraft: bool | None = None


async def _check(request: Request) -> str:
    key = request.headers.get("authorization")
    if key is None:
        raise Unauthenticated("Authorization header is missing", RequestCode.AUTHORIZATION_MISSING)
    if key != "Bearer good":
        raise Forbidden("This key may not do that.", RequestCode.ROLE_TOO_LOW)
    return "actor"


ThingId: TypeAlias = Annotated[UuidPath, Path(alias="thingID")]
Caller: TypeAlias = Annotated[str, Depends(AuthDependency(_check))]


def thing_routes() -> APIRouter:
    routes = APIRouter(prefix="/v1", route_class=ApiRoute, tags=["Things"])

    @routes.get("/thing/{thingID}", responses={200: {"model": ThingResponse}})
    async def get_thing(caller: Caller, thing_id: ThingId) -> Response:
        return Response(f"{caller} {thing_id}")

    @routes.put("/thing/{thingID}", responses={200: {"model": ThingResponse}})
    async def put_thing(
        caller: Caller, thing_id: ThingId, details: Annotated[CreateThing, Body(alias="thingDetails")]
    ) -> Response:
        return Response(details.model_dump_json())

    @routes.post("/thing", status_code=201, responses={201: {"model": ThingResponse}})
    async def post_thing(caller: Caller, details: Annotated[CreateThing, Body(alias="thingDetails")]) -> Response:
        return Response(details.model_dump_json(), 201)

    @routes.get("/thing/list", responses={200: {"model": list[ThingResponse]}})
    async def list_things(caller: Caller) -> Response:
        return Response("list")

    @routes.get("/thing/{thingID}/usage", responses={200: {"model": ThingResponse}})
    async def usage(thing_id: ThingId, first: Annotated[Day, Query(alias="from")]) -> Response:
        return Response(first.isoformat())

    @routes.get("/fail/{how}")
    async def fail(how: str) -> Response:
        errors: dict[str, Exception] = {
            "conflict": Conflict("Only {remaining} bytes remain.", ConflictCode.CONTRACT_FULL, remaining=5),
            "unknown": NotFound("There is no such thing."),
            "away": Unavailable("The cluster cannot be reached; try again.", UnavailableCode.CLUSTER_UNAVAILABLE),
            "guessing": Throttled("There were too many failed tries.", 61),
        }
        raise errors.get(how, RuntimeError("secret internals"))

    return routes


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def cursor_key() -> bytes:
    return bytes(range(32))


@pytest.fixture
def bare() -> FastAPI:
    """An application with the error format and the request middleware, without routes."""
    app = FastAPI(title="Things", version="7", openapi_url=None, redirect_slashes=False)
    problem.install(app)
    app.add_middleware(RequestMiddleware)
    app.state.page_links = NextPageLinks(cursor_key)
    return app


@pytest.fixture
def api(bare: FastAPI) -> FastAPI:
    mount(bare, thing_routes())
    return bare


@pytest.fixture
async def client(api: FastAPI) -> AsyncGenerator[httpx.AsyncClient]:
    """Calls `api` without a server, with a valid key."""
    headers = {"Authorization": "Bearer good"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url="http://t", headers=headers) as http:
        yield http

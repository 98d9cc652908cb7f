"""What the responses of an operation say that is going to end."""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta, timezone

import httpx
import pytest
from fastapi import FastAPI
from starlette.middleware import Middleware

from tests.web.conftest import thing_routes
from tests.web.test_web_order import ID
from tonnage.web import problem
from tonnage.web.deprecation import DEPRECATIONS, Deprecation, require_operations
from tonnage.web.middleware import RequestMiddleware
from tonnage.web.openapi import openapi_document
from tonnage.web.routing import mount
from tonnage.web.swagger2 import to_swagger2

pytestmark = pytest.mark.anyio

PAGE = "https://docs.example.com/thing"
SINCE = datetime(2026, 12, 1, 1, tzinfo=timezone(timedelta(hours=1)))
TABLE = {
    "GET /v1/thing/{thingID}": Deprecation(SINCE, PAGE, datetime(2027, 12, 31, 23, 59, 59, tzinfo=UTC)),
    "POST /v1/thing": Deprecation(SINCE, PAGE),
}


def test_nothing_is_deprecated() -> None:
    """`/v1` is frozen. An entry here is announced in the changelog, and changes this test."""
    assert DEPRECATIONS == {}


@pytest.fixture
def api() -> FastAPI:
    app = FastAPI(
        title="Things",
        version="7",
        openapi_url=None,
        redirect_slashes=False,
        middleware=[Middleware(RequestMiddleware, deprecations=TABLE)],
    )
    problem.install(app)
    mount(app, thing_routes())
    require_operations(app, TABLE)
    return app


@pytest.fixture
async def client(api: FastAPI) -> AsyncGenerator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url="http://t") as http:
        yield http


@pytest.mark.parametrize(("method", "key"), [("GET", "good"), ("HEAD", "good"), ("GET", "bad")])
async def test_every_response_of_the_operation_says_so(client: httpx.AsyncClient, method: str, key: str) -> None:
    response = await client.request(method, f"/v1/thing/{ID}", headers={"Authorization": f"Bearer {key}"})
    assert response.status_code == (200 if key == "good" else 403)
    assert response.headers["deprecation"] == "@1796083200"
    assert response.headers["sunset"] == "Fri, 31 Dec 2027 23:59:59 GMT"
    assert response.headers.get_list("link") == [
        f'<{PAGE}>; rel="deprecation"; type="text/html"',
        f'<{PAGE}>; rel="sunset"; type="text/html"',
    ]


async def test_without_an_end_there_is_no_sunset(client: httpx.AsyncClient) -> None:
    response = await client.post("/v1/thing")
    assert (response.headers["deprecation"], "sunset" in response.headers) == ("@1796083200", False)
    assert response.headers.get_list("link") == [f'<{PAGE}>; rel="deprecation"; type="text/html"']


async def test_other_operations_of_the_path_say_nothing(client: httpx.AsyncClient) -> None:
    for method, path in (
        *(("PUT", f"/v1/thing/{ID}"), ("DELETE", f"/v1/thing/{ID}"), ("OPTIONS", f"/v1/thing/{ID}")),
        *(("GET", "/v1/thing/list"), ("GET", "/nowhere")),
    ):
        response = await client.request(method, path)
        assert not {"deprecation", "sunset", "link"} & set(response.headers), (method, path)


def test_the_documents_say_so(api: FastAPI) -> None:
    document = openapi_document(api, TABLE)
    for paths in (document["paths"], to_swagger2(document, "/v1")["paths"]):
        found = {
            f"{method} {path.removeprefix('/v1')}"
            for path, item in paths.items()
            for method, operation in item.items()
            if operation.get("deprecated")
        }
        assert found == {"get /thing/{thingID}", "post /thing"}


def test_an_operation_that_does_not_exist_is_an_error(api: FastAPI) -> None:
    for name in ("GET /v1/thing", "GET /v1/thing/{id}", "/v1/thing"):
        with pytest.raises(ValueError, match="there is no operation"):
            require_operations(api, {name: Deprecation(SINCE, PAGE)})


def test_nothing_ends_before_it_is_deprecated() -> None:
    with pytest.raises(ValueError, match="before it ends"):
        Deprecation(SINCE, PAGE, SINCE - timedelta(seconds=1))

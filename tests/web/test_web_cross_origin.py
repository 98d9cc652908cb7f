"""Which web pages of other origins may use the API."""

from collections.abc import AsyncGenerator

import httpx
import pytest
from fastapi import FastAPI

from tests.web.test_web_order import GOOD, ID
from tonnage.web.cross_origin import CrossOrigin

pytestmark = pytest.mark.anyio

APP, LOCAL = "https://app.example.com", "http://localhost:3000"
PREFLIGHT = {"Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "authorization,content-type"}
THING = f"/v1/thing/{ID}"


@pytest.fixture
async def client(api: FastAPI) -> AsyncGenerator[httpx.AsyncClient]:
    @api.get("/team")
    async def page() -> str:
        return "A page of the console"

    api.add_middleware(CrossOrigin, origins=(APP, LOCAL))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url="http://t") as http:
        yield http


def permissions(response: httpx.Response) -> dict[str, str]:
    return {name: value for name, value in response.headers.items() if name.startswith("access-control-")}


@pytest.mark.parametrize("origin", [APP, LOCAL])
async def test_a_preflight_of_a_known_origin(client: httpx.AsyncClient, origin: str) -> None:
    response = await client.options(THING, headers={"Origin": origin, **PREFLIGHT})
    assert (response.status_code, response.content) == (204, b"")
    assert permissions(response) == {
        "access-control-allow-origin": origin,
        "access-control-allow-methods": "GET, HEAD, OPTIONS, PUT",
        "access-control-allow-headers": "Authorization, Content-Type, Idempotency-Key, If-Match, X-Request-Id",
        "access-control-max-age": "600",
    }
    assert response.headers["vary"] == "Origin"


async def test_responses_say_who_may_read_what(client: httpx.AsyncClient) -> None:
    """Errors and crashes, too."""
    for method, path, status in (
        ("GET", "/v1/thing/list", 200),
        ("HEAD", "/v1/thing/list", 200),
        ("PUT", THING, 415),
        ("GET", "/v1/nowhere", 404),
        ("DELETE", THING, 405),
        ("OPTIONS", THING, 204),
        ("GET", "/v1/fail/crash", 500),
        ("GET", "/v1/fail/away", 503),
    ):
        headers = {"Origin": APP, "Authorization": "Bearer good"}
        response = await client.request(method, path, headers=headers, content=b"x" if method == "PUT" else None)
        assert (response.status_code, response.headers["vary"]) == (status, "Origin"), path
        exposed = permissions(response).pop("access-control-expose-headers")
        assert permissions(response)["access-control-allow-origin"] == APP
        assert len(permissions(response)) == 2
        assert {"Link", "X-Request-Id", "Retry-After", "RateLimit", "RateLimit-Policy"} <= set(exposed.split(", "))
        assert {"Idempotency-Replayed", "ETag"} <= set(exposed.split(", "))
    refused = await client.get("/v1/thing/list", headers={"Origin": APP})
    assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (401, APP)


@pytest.mark.parametrize(
    "origin",
    [
        *("null", "*", "https://evil.example", "http://app.example.com", "https://app.example.com:8443", ""),
        *("https://app.example.com/", "https://APP.example.com", "https://app.example.com.evil.example"),
        *("http://localhost", "http://localhost:3001", f"{APP} {LOCAL}", f"{APP}, {LOCAL}"),
    ],
)
async def test_other_origins_may_nothing(client: httpx.AsyncClient, origin: str) -> None:
    for method, more in (("OPTIONS", PREFLIGHT), ("GET", {}), ("PUT", {})):
        response = await client.request(method, THING, headers={"Origin": origin, **more})
        assert permissions(response) == {}
        assert response.headers["vary"] == "Origin"
    twice = await client.get(THING, headers=[("Origin", APP), ("Origin", origin)])
    assert permissions(twice) == {}


async def test_without_an_origin_only_vary_differs(client: httpx.AsyncClient) -> None:
    response = await client.put(THING, json=GOOD, headers={"Authorization": "Bearer good"})
    assert (response.status_code, permissions(response), response.headers["vary"]) == (200, {}, "Origin")


async def test_a_preflight_of_an_unknown_path_fails(client: httpx.AsyncClient) -> None:
    response = await client.options("/v1/nowhere", headers={"Origin": APP, **PREFLIGHT})
    assert response.status_code == 404


async def test_pages_are_not_included(client: httpx.AsyncClient) -> None:
    for path in ("/team", "/v1", "/openapi.json", "/healthz"):
        for method, more in (("OPTIONS", PREFLIGHT), ("GET", {})):
            response = await client.request(method, path, headers={"Origin": APP, **more})
            assert (permissions(response), "vary" in response.headers) == ({}, False), path

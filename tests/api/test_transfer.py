"""How responses of the whole application travel: compressed or not, and to web pages of which origins."""

import gzip

import httpx
import pytest

from tests.api.conftest import AccountData, AppClient
from tests.api.lists import every_list
from tests.cast import unique
from tonnage.asgi import create_app

pytestmark = pytest.mark.anyio

GZIP, PLAIN = {"Accept-Encoding": "gzip"}, {"Accept-Encoding": "identity"}


async def raw(http: httpx.AsyncClient, path: str, headers: dict[str, str]) -> tuple[httpx.Response, bytes]:
    async with http.stream("GET", path, headers=headers) as response:
        return response, b"".join([part async for part in response.aiter_raw()])


async def test_lists_are_the_same_compressed(client: AppClient) -> None:
    compressed = 0
    for one in await every_list(client):
        authorization = {"Authorization": f"Bearer {await client.key(one.reader)}"}
        path = str((await one.get()).request.url)
        for query in ("", "&limit=3"):
            _, plain = await raw(client.http, path + query, authorization | PLAIN)
            response, packed = await raw(client.http, path + query, authorization | GZIP)
            assert response.headers["vary"] == "Accept-Encoding"
            if "content-encoding" in response.headers:
                compressed += 1
                packed = gzip.decompress(packed)
            assert packed == plain, path
            assert ("content-encoding" in response.headers) == (len(plain) > 1024)
            assert ("link" in response.headers) == bool(query)
    assert compressed > 3


async def test_the_documents_and_files_of_a_list_are_compressed(client: AppClient, data: AccountData) -> None:
    for _ in range(20):
        await client.cast.partner(data.distributor, data.contract)
    browser = await client.sign_in(data.distributor)
    for path in ("/openapi.json", "/swagger/doc.json", "/swagger/swagger-ui.css", "/distributor/partners.csv"):
        response, packed = await raw(browser.http, path, GZIP)
        again, plain = await raw(browser.http, path, PLAIN)
        assert (response.headers["content-encoding"], "content-encoding" in again.headers) == ("gzip", False), path
        assert gzip.decompress(packed) == plain
        assert response.headers["vary"] == again.headers["vary"] == "Accept-Encoding"


async def test_a_page_with_a_new_secret_is_not_compressed(client: AppClient, data: AccountData) -> None:
    browser = await client.sign_in(data.partner)
    form = {**await browser.form("/keys/new"), "description": unique("Key"), "role": "viewer"}
    page = await browser.http.post("/keys/new", data=form, headers=GZIP)
    assert page.status_code == 200
    assert "tng_" in page.text
    assert "content-encoding" not in page.headers
    listed = await browser.http.get("/keys", headers=GZIP)
    assert listed.headers["content-encoding"] == "gzip"


async def test_pages_of_named_origins_alone_may_use_the_api() -> None:
    """Without a database: what is asked needs none."""
    origin = "https://app.example.com"
    asked = {"Origin": origin, "Access-Control-Request-Method": "GET"}
    for permitted in ((), (origin,)):
        app = create_app("postgresql://not-asked", cors_origins=permitted)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://t") as http:
            for path in (
                "/v1/contract/list",
                "/ext/v1/me",
                "/sign-in",
                "/team",
                "/metrics",
                "/openapi.json",
                "/healthz",
            ):
                answer = await http.options(path, headers=asked)
                assert answer.status_code == 204
                expected = origin if permitted and path.startswith(("/v1/", "/ext/v1/")) else None
                assert answer.headers.get("access-control-allow-origin") == expected, path
                assert "access-control-allow-credentials" not in answer.headers
            for path, status in (("/v1/nowhere", 404), ("/v1/contract/list", 401)):
                answer = await http.get(path, headers={"Origin": origin})
                assert answer.status_code == status
                assert answer.headers.get("access-control-allow-origin") == (permitted[0] if permitted else None)

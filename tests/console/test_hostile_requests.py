"""Cross-site requests, and malformed requests."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from ipaddress import ip_network

import httpx
import pytest

from tests.api.conftest import AppClient
from tests.authentication.members import OTHER_WORD, WORD, Person, cheap
from tests.clocks import clocks
from tests.console.guests import ann, browser, send, sign_in
from tonnage.asgi import create_app
from tonnage.console.rendering import static_files
from tonnage.services import SignInSettings

__all__ = ["ann", "browser"]
"""The fixtures of guests."""

pytestmark = pytest.mark.anyio

CROSSED = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}


@pytest.fixture
async def behind_tls(client: AppClient, conninfo: str) -> AsyncGenerator[httpx.AsyncClient]:
    """The console as reached by https, through a proxy that speaks plain HTTP with it."""
    settings = SignInSettings(public_url="https://console.example.com")
    app = create_app(conninfo, **clocks(client.clock), passwords=cheap(), sign_in=settings)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(app.router.lifespan_context(app))
        transport = httpx.ASGITransport(app)
        yield await stack.enter_async_context(httpx.AsyncClient(transport=transport, base_url="http://tonnage"))


@pytest.mark.parametrize("wanted", ["//[", "http://[", "//\N{ACCOUNT OF}/x", "/\t/evil.example", "/\r\nX-Y: z", "/\0"])
async def test_a_hostile_next_address_is_ignored(browser: httpx.AsyncClient, wanted: str) -> None:
    page = await browser.get("/sign-in", params={"next": wanted})
    assert page.status_code == 200
    assert 'name="next" value="/"' in page.text


async def test_another_site_signs_nobody_out(browser: httpx.AsyncClient, ann: Person) -> None:
    await sign_in(browser, ann)
    token = browser.cookies.pop("tonnage-session")
    # A cross-site form is sent without the cookies, but those that its response sets are kept.
    crossed = await browser.post("/sign-out", data={"csrf": ""}, headers=CROSSED)
    assert crossed.status_code == 303
    assert "set-cookie" not in crossed.headers
    assert await ann.visit(token)
    browser.cookies.set("tonnage-session", token)
    held = await browser.post("/sign-out", data={"csrf": ""}, headers=CROSSED)
    assert held.status_code == 403
    assert await ann.visit(token)


async def test_another_site_does_not_disturb_a_sign_in(browser: httpx.AsyncClient, ann: Person) -> None:
    fields = {"email": ann.email, "password": WORD}
    crossed = await browser.post("/sign-in", data=fields, headers=CROSSED)
    assert crossed.status_code == 403
    assert "set-cookie" not in crossed.headers


REPLIES = {
    "/sign-in": 200,
    "/sign-in/code": 303,
    "/nowhere": 404,
    "/healthz": 200,
    "/readyz": 200,
    "/metrics": 401,
    "/v1/contract/list": 401,
    "/v1/integration/regions/list": 200,
    "/swagger/index.html": 200,
    "/swagger/doc.json": 200,
    "/sign-out": 405,
    static_files.url("console.css"): 200,
}
"""What they are for a stranger's GET."""


@pytest.mark.parametrize("path", REPLIES)
async def test_behind_tls_every_reply_has_hsts(
    behind_tls: httpx.AsyncClient, browser: httpx.AsyncClient, path: str
) -> None:
    reply = await behind_tls.get(path)
    assert (reply.status_code, reply.headers.get_list("strict-transport-security")) == (
        REPLIES[path],
        ["max-age=31536000"],
    )
    assert "strict-transport-security" not in (await browser.get(path)).headers


async def test_a_static_file_that_has_not_changed_has_hsts(behind_tls: httpx.AsyncClient) -> None:
    path = static_files.url("console.css")
    etag = (await behind_tls.get(path)).headers["etag"]
    same = await behind_tls.get(path, headers={"If-None-Match": etag})
    assert (same.status_code, same.headers["strict-transport-security"]) == (304, "max-age=31536000")


async def test_only_a_trusted_proxy_says_that_the_browser_uses_tls(client: AppClient, conninfo: str) -> None:
    settings = SignInSettings(trusted_proxies=(ip_network("192.0.2.1"),))
    app = create_app(conninfo, **clocks(client.clock), passwords=cheap(), sign_in=settings)
    async with app.router.lifespan_context(app):
        for proxy, said in (("192.0.2.1", True), ("192.0.2.2", False)):
            transport = httpx.ASGITransport(app, client=(proxy, 1))
            async with httpx.AsyncClient(transport=transport, base_url="http://tonnage") as http:
                for path in ("/healthz", "/nowhere", "/sign-in"):
                    headers = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.1"}
                    reply = await http.get(path, headers=headers)
                    assert ("strict-transport-security" in reply.headers) is said


async def test_behind_tls_cookies_are_secure(behind_tls: httpx.AsyncClient, browser: httpx.AsyncClient) -> None:
    page = await behind_tls.get("/sign-in")
    made = page.headers["set-cookie"]
    assert made.startswith("__Host-tonnage-guest=")
    assert "; Secure" in made
    assert "; Path=/" in made
    assert "Domain" not in made
    plain = await browser.get("/sign-in")
    assert "Secure" not in plain.headers["set-cookie"]


async def test_behind_tls_the_cookie_of_a_reset_is_secure(behind_tls: httpx.AsyncClient) -> None:
    moved = await behind_tls.get("/sign-in/new-password/token")
    # A name with __Host- would need the path /.
    assert moved.headers["set-cookie"].startswith("__Secure-tonnage-link=token; ")
    assert "; Path=/sign-in/new-password; SameSite=lax; Secure" in moved.headers["set-cookie"]


async def test_a_new_password_is_a_new_cookie(browser: httpx.AsyncClient, ann: Person) -> None:
    await sign_in(browser, ann)
    stolen = browser.cookies["tonnage-session"]
    changed = await send(browser, "/profile/password", {"current": WORD, "new": OTHER_WORD})
    assert changed.status_code == 303
    assert browser.cookies["tonnage-session"] != stolen
    assert (await browser.get("/profile")).status_code == 200
    assert await ann.visit(stolen) is None


@pytest.mark.parametrize(
    "query", ["to=0001-01-01", "from=0001-01-01&to=0001-01-02", "to=9999-12-31", "from=9999-12-31"]
)
async def test_no_day_of_the_calendar_is_a_crash(client: AppClient, query: str) -> None:
    cast = client.cast
    distributor = await cast.distributor()
    partner = await cast.partner(distributor, await cast.contract(distributor), 0)
    browser = await client.sign_in(partner)
    assert (await browser.get(f"/partner/usage?{query}")).status_code in {200, 422}

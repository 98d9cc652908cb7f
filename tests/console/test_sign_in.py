"""Signing in and out on the pages."""

import re

import httpx
import pytest

from tests.api.conftest import AppClient
from tests.authentication.members import WORD, Person
from tests.console.guests import ann, browser, send, sign_in
from tonnage.authentication.sign_in_actions import WRONG_PASSWORD
from tonnage.web import csrf

__all__ = ["ann", "browser"]
"""The fixtures of guests."""

pytestmark = pytest.mark.anyio


async def test_it_leads_to_the_requested_page(browser: httpx.AsyncClient, ann: Person) -> None:
    turned_away = await browser.get("/distributor/partners?q=hill")
    assert turned_away.headers["location"] == "/sign-in?next=%2Fdistributor%2Fpartners%3Fq%3Dhill"
    page = await browser.get(turned_away.headers["location"])
    assert 'name="next" value="/distributor/partners?q=hill"' in page.text
    signed_in = await sign_in(browser, ann, next_path="/distributor/partners?q=hill")
    assert (signed_in.status_code, signed_in.headers["location"]) == (303, "/distributor/partners?q=hill")
    assert (await browser.get("/distributor/partners")).status_code == 200
    assert (await browser.get("/sign-in")).headers["location"] == "/"


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)"]
)
async def test_it_leads_to_no_foreign_page(browser: httpx.AsyncClient, ann: Person, elsewhere: str) -> None:
    assert "evil" not in (await browser.get("/sign-in", params={"next": elsewhere})).text
    assert (await sign_in(browser, ann, next_path=elsewhere)).headers["location"] == "/"
    assert (await browser.get("/sign-in", params={"next": elsewhere})).headers["location"] == "/"


async def test_failures_have_the_same_reply_and_keep_the_address(browser: httpx.AsyncClient, ann: Person) -> None:
    for email in (ann.email, '"><b>nobody</b>@example.org'):
        refused = await send(browser, "/sign-in", {"email": email, "password": "wrong-1-Word", "next": "/team"})
        assert refused.status_code == 422
        assert WRONG_PASSWORD in refused.text
        assert "<b>nobody" not in refused.text
        assert "wrong-1-Word" not in refused.text
        assert 'name="next" value="/team"' in refused.text
    assert f'value="{ann.email}"' in (await sign_in(browser, ann, "wrong")).text


async def test_an_empty_form_names_its_fields(browser: httpx.AsyncClient) -> None:
    refused = await send(browser, "/sign-in", {"email": " "})
    assert refused.status_code == 422
    assert 'id="email-error"' in refused.text
    assert 'id="password-error"' in refused.text


async def test_after_too_many_tries_it_says_how_long_to_wait(browser: httpx.AsyncClient, ann: Person) -> None:
    for _ in range(10):
        assert (await sign_in(browser, ann, "wrong")).status_code == 422
    held_off = await sign_in(browser, ann)
    assert held_off.status_code == 429
    assert held_off.headers["retry-after"] == "60"
    assert "Try again in a minute" in held_off.text
    assert f'value="{ann.email}"' in held_off.text


async def test_sign_in_changes_the_session_token(browser: httpx.AsyncClient, ann: Person) -> None:
    browser.cookies.set("tonnage-session", "planted", domain="tonnage.local")
    signed_in = await sign_in(browser, ann)
    made = signed_in.headers["set-cookie"]
    assert "planted" not in made
    assert "HttpOnly" in made
    assert "SameSite=lax" in made


async def test_only_a_form_of_this_browser_signs_in(browser: httpx.AsyncClient, ann: Person) -> None:
    fields = {"email": ann.email, "password": WORD}
    for token in ("", "guessed", csrf.token("")):
        refused = await browser.post("/sign-in", data={"csrf": token, **fields})
        assert refused.status_code == 403
        assert "tonnage-session" not in refused.headers.get("set-cookie", "")
    page = await browser.get("/sign-in")
    own = re.search(r'name="csrf" value="([^"]+)"', page.text)
    assert own
    crossed = await browser.post("/sign-in", data={"csrf": own[1], **fields}, headers={"Sec-Fetch-Site": "cross-site"})
    assert crossed.status_code == 403


async def test_signing_out_ends_the_session_itself(browser: httpx.AsyncClient, ann: Person) -> None:
    await sign_in(browser, ann)
    token = browser.cookies["tonnage-session"]
    assert (await browser.post("/sign-out", data={"csrf": "guessed"})).status_code == 403
    out = await send(browser, "/distributor/partners", {}, "/sign-out")
    assert (out.status_code, out.headers["location"]) == (303, "/sign-in")
    assert "Signed out" in (await browser.get("/sign-in")).text
    assert "tonnage-session" not in browser.cookies
    assert await ann.visit(token) is None
    assert (await browser.post("/sign-out")).headers["location"] == "/sign-in"


async def test_an_ended_session_is_explained(browser: httpx.AsyncClient, ann: Person, client: AppClient) -> None:
    assert "has ended" not in (await browser.get("/sign-in")).text
    await sign_in(browser, ann)
    await client.cast.row("delete from session where member_id = %s returning id", ann.id)
    turned_away = await browser.get("/team")
    assert "Your session has ended" in (await browser.get(turned_away.headers["location"])).text
    assert "has ended" not in (await sign_in(browser, ann, "wrong")).text


async def test_the_frame_of_a_member_is_not_shown_outside(client: AppClient) -> None:
    browser = await client.sign_in(await client.cast.distributor())
    page = await browser.get("/sign-in/forgotten")
    assert page.status_code == 200
    assert "/sign-out" not in page.text

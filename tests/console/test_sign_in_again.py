"""The reset of a forgotten password, on the pages."""

import re
from datetime import timedelta

import httpx
import pytest

from tests.api.conftest import AppClient
from tests.authentication.members import OTHER_WORD, WORD, Person, person
from tests.cast import unique
from tests.console.guests import ann, browser, send, sign_in
from tonnage.authentication.reset_queries import insert_reset
from tonnage.jobs import lock_key
from tonnage.tokens import digest, new_token

__all__ = ["ann", "browser"]
"""The fixtures of guests."""

pytestmark = pytest.mark.anyio

PAGE = "/sign-in/new-password"


async def link(client: AppClient, ann: Person) -> str:
    """The path in the mail's link."""
    token, now = new_token(), client.clock.now
    hour = timedelta(hours=1)
    await ann.database.run(insert_reset, ann.id, digest(token), now, hour, timedelta(0))
    return f"{PAGE}/{token}"


def mark(path: str) -> str:
    """What the form of that link says of it."""
    return digest(path.rpartition("/")[2]).hex()[:16]


async def test_the_answer_is_the_same_for_everybody(browser: httpx.AsyncClient, ann: Person, client: AppClient) -> None:
    for email in (ann.email, f"{unique('nobody').replace(' ', '')}@example.org"):
        asked = await send(browser, "/sign-in/forgotten", {"email": email})
        assert (asked.status_code, asked.headers["location"]) == (303, "/sign-in/forgotten/asked")
    assert "a link is on its way" in (await browser.get("/sign-in/forgotten/asked")).text
    (waiting,) = await client.cast.row(
        "select count(*) from procrastinate_jobs where lock = %s", lock_key("authentication.send_reset", ann.id)
    )
    assert waiting == 1


async def test_an_invalid_address_is_named_and_kept(browser: httpx.AsyncClient) -> None:
    refused = await send(browser, "/sign-in/forgotten", {"email": "ann.example.org"})
    assert refused.status_code == 422
    assert 'id="email-error"' in refused.text
    assert 'value="ann.example.org"' in refused.text


async def test_too_many_requests_are_refused(browser: httpx.AsyncClient) -> None:
    statuses = [
        (await send(browser, "/sign-in/forgotten", {"email": f"n{turn}@example.org"})).status_code for turn in range(21)
    ]
    assert statuses == [303] * 20 + [429]


async def open_link(browser: httpx.AsyncClient, path: str) -> httpx.Response:
    """The page that the link leads to."""
    moved = await browser.get(path)
    assert (moved.status_code, moved.headers["location"]) == (303, PAGE)
    return await browser.get(PAGE)


async def test_a_link_gives_a_new_password_once(browser: httpx.AsyncClient, ann: Person, client: AppClient) -> None:
    path = await link(client, ann)
    assert (await open_link(browser, path)).status_code == 200
    weak = await send(browser, PAGE, {"password": "short", "link": mark(path)})
    assert weak.status_code == 422
    assert 'id="password-error"' in weak.text
    chosen = await send(browser, PAGE, {"password": OTHER_WORD, "link": mark(path)})
    assert (chosen.status_code, chosen.headers["location"]) == (303, "/sign-in")
    back = await browser.get(PAGE)
    assert (back.status_code, "tonnage-link" in browser.cookies) == (404, False)
    used = await open_link(browser, path)
    assert used.status_code == 404
    assert "/sign-in/forgotten" in used.text
    assert "allow cookies" not in used.text
    assert (await sign_in(browser, ann, WORD)).status_code == 422
    assert (await sign_in(browser, ann, OTHER_WORD)).status_code == 303


@pytest.mark.parametrize(("path", "seconds"), [(PAGE, 3600), ("/sign-in/device", 900)])
@pytest.mark.parametrize("text", ["x", "a%3Bb%0D%0ASet-Cookie:%20x=y", "%E2%82%AC%F0%9F%98%80", "%00", "x" * 9000])
async def test_a_token_goes_into_a_cookie_and_nowhere_else(
    browser: httpx.AsyncClient, text: str, path: str, seconds: int
) -> None:
    moved = await browser.get(f"{path}/{text}")
    assert moved.headers["referrer-policy"] == "no-referrer"
    assert moved.headers["location"] == path
    assert moved.headers["cache-control"] == "no-store"
    assert moved.content == b""
    (cookie,) = moved.headers.get_list("set-cookie")
    value, *attributes = cookie.split("; ")
    assert re.fullmatch(r"tonnage-link=[A-Za-z0-9%._~-]{1,1200}", value)
    assert {*attributes} == {"HttpOnly", f"Max-Age={seconds}", f"Path={path}", "SameSite=lax"}
    page = await browser.get(path)
    assert page.status_code == 404
    assert "no longer works" in page.text


async def test_without_its_cookie_the_page_says_what_to_do(browser: httpx.AsyncClient) -> None:
    page = await browser.get(PAGE)
    assert page.status_code == 404
    assert "allow cookies for this site and open the link in the e-mail again" in page.text
    sent = await send(browser, "/sign-in/forgotten", {"password": OTHER_WORD}, PAGE)
    assert sent.status_code == 404


async def test_of_two_forms_of_one_link_one_counts(browser: httpx.AsyncClient, ann: Person, client: AppClient) -> None:
    path = await link(client, ann)
    await open_link(browser, path)
    form = {"password": OTHER_WORD, "link": mark(path)}
    assert (await send(browser, PAGE, form)).status_code == 303
    late = await send(browser, "/sign-in/forgotten", {**form, "password": WORD}, PAGE)
    assert late.status_code == 404
    assert "no longer works" in late.text


async def test_a_form_never_changes_the_password_of_another_links_member(
    browser: httpx.AsyncClient, ann: Person, client: AppClient
) -> None:
    bob = await person(client.cast, await client.cast.distributor())
    of_ann, of_bob = await link(client, ann), await link(client, bob)
    await open_link(browser, of_ann)
    assert f'value="{mark(of_ann)}"' in (await browser.get(PAGE)).text
    await open_link(browser, of_bob)
    for wrong in ({"link": mark(of_ann)}, {"link": "\N{EURO SIGN}"}, {}):
        refused = await send(browser, PAGE, {"password": OTHER_WORD, **wrong})
        assert refused.status_code == 409
        assert "The password was not changed" in refused.text
    assert (await sign_in(browser, bob, OTHER_WORD)).status_code == 422
    await open_link(browser, of_ann)
    assert (await send(browser, PAGE, {"password": OTHER_WORD, "link": mark(of_ann)})).status_code == 303
    assert (await sign_in(browser, ann, OTHER_WORD)).status_code == 303
    await open_link(browser, of_bob)
    assert (await browser.get(PAGE)).status_code == 200


async def test_an_old_link_is_worth_nothing(browser: httpx.AsyncClient, ann: Person, client: AppClient) -> None:
    path = await link(client, ann)
    await open_link(browser, path)
    client.clock.now += timedelta(hours=1)
    late = await send(browser, "/sign-in/forgotten", {"password": OTHER_WORD, "link": mark(path)}, PAGE)
    assert late.status_code == 404
    assert (await open_link(browser, path)).status_code == 404

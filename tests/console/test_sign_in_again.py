"""The reset of a forgotten password, on the pages."""

from datetime import timedelta

import httpx
import pytest

from tests.api.conftest import AppClient
from tests.authentication.members import OTHER_WORD, WORD, Person
from tests.cast import unique
from tests.console.guests import ann, browser, send, sign_in
from tonnage.authentication.reset_queries import insert_reset
from tonnage.authentication.session import digest, new_token
from tonnage.jobs import lock_key

__all__ = ["ann", "browser"]
"""The fixtures of guests."""

pytestmark = pytest.mark.anyio


async def link(client: AppClient, ann: Person) -> str:
    """The path in the mail's link."""
    token, now = new_token(), client.clock.now
    hour = timedelta(hours=1)
    await ann.database.run(insert_reset, ann.id, digest(token), now, hour, timedelta(0))
    return f"/sign-in/new-password/{token}"


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


async def test_a_link_gives_a_new_password_once(browser: httpx.AsyncClient, ann: Person, client: AppClient) -> None:
    path = await link(client, ann)
    page = await browser.get(path)
    assert page.headers["referrer-policy"] == "no-referrer"
    weak = await send(browser, path, {"password": "short"})
    assert weak.status_code == 422
    assert 'id="password-error"' in weak.text
    assert weak.headers["referrer-policy"] == "no-referrer"
    chosen = await send(browser, path, {"password": OTHER_WORD})
    assert (chosen.status_code, chosen.headers["location"]) == (303, "/sign-in")
    used = await browser.get(path)
    assert used.status_code == 404
    assert "/sign-in/forgotten" in used.text
    assert (await sign_in(browser, ann, WORD)).status_code == 422
    assert (await sign_in(browser, ann, OTHER_WORD)).status_code == 303


async def test_of_two_forms_of_one_link_one_counts(browser: httpx.AsyncClient, ann: Person, client: AppClient) -> None:
    path = await link(client, ann)
    await browser.get(path)
    assert (await send(browser, path, {"password": OTHER_WORD})).status_code == 303
    late = await send(browser, "/sign-in/forgotten", {"password": WORD}, path)
    assert late.status_code == 404
    assert "no longer works" in late.text


async def test_an_old_link_is_worth_nothing(browser: httpx.AsyncClient, ann: Person, client: AppClient) -> None:
    path = await link(client, ann)
    client.clock.now += timedelta(hours=1)
    assert (await browser.get(path)).status_code == 404
    assert (await browser.get("/sign-in/new-password/guessed")).status_code == 404

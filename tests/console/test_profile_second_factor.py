"""Creating, using and removing a second factor on the pages."""

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from pyotp.totp import TOTP

from tests.api.conftest import AppClient
from tests.authentication.members import WORD, Person, key_file
from tests.console.guests import ann, browser, send, sign_in

__all__ = ["ann", "browser"]
"""The fixtures of guests."""

pytestmark = pytest.mark.anyio

SETUP = "/profile/second-factor/setup"


@pytest.fixture
def keys(client: AppClient, tmp_path: Path) -> Path:
    """A key file, with which the application can seal secrets."""
    made = key_file(tmp_path)
    client.app.state.services = replace(client.app.state.services, key_file=made)
    return made


async def enrol(browser: httpx.AsyncClient, client: AppClient) -> tuple[TOTP, list[str]]:
    """Returns the authenticator app and the recovery codes."""
    begun = await send(browser, "/profile/second-factor", {"current": WORD}, f"{SETUP}/begin")
    assert begun.headers["location"] == SETUP
    page = await browser.get(SETUP)
    seed = re.search(r'<code id="seed"[^>]*>([A-Z2-7 ]+)</code>', page.text)
    assert seed
    app = TOTP(seed[1].replace(" ", ""))
    confirmed = await send(browser, SETUP, {"code": app.at(client.clock.now)})
    assert confirmed.status_code == 200
    return app, re.findall(r"\b[A-Z2-9]{4}-[A-Z2-9]{4}-[A-Z2-9]{4}\b", confirmed.text)


async def test_from_the_qr_code_to_the_code_at_sign_in(
    browser: httpx.AsyncClient, ann: Person, client: AppClient, keys: Path
) -> None:
    await sign_in(browser, ann)
    before = browser.cookies["tonnage-session"]
    app, codes = await enrol(browser, client)
    assert len(set(codes)) == 10
    assert browser.cookies["tonnage-session"] != before
    assert await ann.visit(before) is None
    assert "Recovery codes left" in (await browser.get("/profile/second-factor")).text
    await send(browser, "/profile", {}, "/sign-out")
    signed_in = await sign_in(browser, ann, next_path="/team")
    assert signed_in.headers["location"] == "/sign-in/code?next=%2Fteam"
    assert (await browser.get("/team")).headers["location"] == "/sign-in/code"
    path = signed_in.headers["location"]
    wrong = await send(browser, path, {"code": "000000", "next": "/team"}, "/sign-in/code")
    assert wrong.status_code == 422
    assert 'id="code-error"' in wrong.text
    assert 'name="next" value="/team"' in wrong.text
    client.clock.now += timedelta(minutes=1)
    given = await send(browser, path, {"code": app.at(client.clock.now), "next": "/team"}, "/sign-in/code")
    assert given.headers["location"] == "/team"
    assert (await browser.get("/team")).status_code == 200


async def test_a_recovery_code_opens_once(
    browser: httpx.AsyncClient, ann: Person, client: AppClient, keys: Path
) -> None:
    await sign_in(browser, ann)
    _, codes = await enrol(browser, client)
    for status in (303, 422):
        await send(browser, "/sign-in/forgotten", {}, "/sign-out")
        await sign_in(browser, ann)
        assert 'inputmode="numeric"' not in (await browser.get("/sign-in/code?recovery=1")).text
        given = await send(browser, "/sign-in/code", {"code": codes[0].lower(), "recovery": "1"})
        assert given.status_code == status
    assert 'name="recovery"' in given.text


async def test_the_code_can_be_called_off(
    browser: httpx.AsyncClient, ann: Person, client: AppClient, keys: Path
) -> None:
    await sign_in(browser, ann)
    await enrol(browser, client)
    await send(browser, "/profile", {}, "/sign-out")
    await sign_in(browser, ann)
    assert (await send(browser, "/sign-in/code", {}, "/sign-out")).headers["location"] == "/sign-in"
    assert (await browser.get("/sign-in/code")).headers["location"] == "/sign-in?next=%2F"


async def test_a_wrong_first_code_is_named_and_the_picture_stays(
    browser: httpx.AsyncClient, ann: Person, keys: Path
) -> None:
    await sign_in(browser, ann)
    assert (await browser.get(SETUP)).headers["location"] == "/profile/second-factor"
    await send(browser, "/profile/second-factor", {"current": WORD}, f"{SETUP}/begin")
    seed = r'<code id="seed"[^>]*>([A-Z2-7 ]+)<'
    shown = re.findall(seed, (await browser.get(SETUP)).text)
    refused = await send(browser, SETUP, {"code": "000000"})
    assert refused.status_code == 422
    assert 'id="code-error"' in refused.text
    assert re.findall(seed, refused.text) == shown
    assert "style=" not in refused.text


@pytest.mark.parametrize("is_required", [False, True])
async def test_setting_up_wants_the_present_password(
    browser: httpx.AsyncClient, ann: Person, client: AppClient, keys: Path, is_required: bool
) -> None:
    await client.cast.row(
        "update organisation set second_factor_required = %s where id = %s returning id",
        is_required,
        ann.actor.organisation_id,
    )
    await sign_in(browser, ann)
    for typed in ({}, {"current": ""}, *[{"current": "wrong"}] * 10):
        refused = await send(browser, "/profile/second-factor", typed, f"{SETUP}/begin")
        assert (refused.status_code, 'id="current-error"' in refused.text) == (422, True)
        assert ("requires two-factor authentication" in refused.text) == is_required
        assert (await browser.get(SETUP)).headers["location"] == "/profile/second-factor"
    throttled = await send(browser, "/profile/second-factor", {"current": WORD}, f"{SETUP}/begin")
    assert (throttled.status_code, throttled.headers["retry-after"]) == (429, "60")
    assert "Too many failed attempts" in throttled.text
    client.clock.now += timedelta(minutes=1)
    await enrol(browser, client)


async def test_new_recovery_codes_and_removal_want_a_code(
    browser: httpx.AsyncClient, ann: Person, client: AppClient, keys: Path
) -> None:
    await sign_in(browser, ann)
    app, codes = await enrol(browser, client)
    for path in ("/profile/second-factor/recovery-codes", "/profile/second-factor/removal"):
        refused = await send(browser, path, {"code": "ABCD"})
        assert (refused.status_code, 'id="code-error"' in refused.text) == (422, True)
    renewed = await send(browser, "/profile/second-factor/recovery-codes", {"code": codes[0]})
    assert renewed.status_code == 200
    assert len(re.findall(r"\b[A-Z2-9]{4}-[A-Z2-9]{4}-[A-Z2-9]{4}\b", renewed.text)) == 10
    assert codes[1] not in renewed.text
    client.clock.now += timedelta(minutes=1)
    removed = await send(browser, "/profile/second-factor/removal", {"code": app.at(client.clock.now)})
    assert removed.headers["location"] == "/profile/second-factor"
    assert (await browser.get("/profile/second-factor/removal")).headers["location"] == "/profile/second-factor"
    assert "Start setup" in (await browser.get("/profile/second-factor")).text


async def test_where_it_is_required_nothing_else_opens_before(
    browser: httpx.AsyncClient, ann: Person, client: AppClient, keys: Path
) -> None:
    await client.cast.row(
        "update organisation set second_factor_required = true where id = %s returning id", ann.actor.organisation_id
    )
    await sign_in(browser, ann)
    for path in ("/", "/distributor/partners", "/profile", "/profile/sessions"):
        assert (await browser.get(path)).headers["location"] == "/profile/second-factor"
    page = await browser.get("/profile/second-factor")
    assert "requires two-factor authentication" in page.text
    assert "/distributor/partners" not in page.text
    assert "/sign-out" in page.text
    app, _ = await enrol(browser, client)
    assert (await browser.get("/profile")).status_code == 200
    assert "/removal" not in (await browser.get("/profile/second-factor")).text
    client.clock.now += timedelta(minutes=1)
    removal = "/profile/second-factor/removal"
    assert (await browser.get(removal)).headers["location"] == "/profile/second-factor"
    kept = await send(browser, "/profile", {"code": app.at(client.clock.now)}, removal)
    assert kept.status_code == 409
    assert "requires two-factor authentication" in kept.text


async def test_without_a_key_file_the_page_names_the_setting(browser: httpx.AsyncClient, ann: Person) -> None:
    await sign_in(browser, ann)
    page = await browser.get("/profile/second-factor")
    assert "TONNAGE_SECRET_KEY_FILE" in page.text
    assert f"{SETUP}/begin" not in page.text
    assert (await send(browser, "/profile/password", {"current": WORD}, f"{SETUP}/begin")).status_code == 409
    assert (await browser.get(SETUP)).headers["location"] == "/profile/second-factor"

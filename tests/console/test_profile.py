"""A member's own profile: name and formats, password, sessions."""

import re

import pytest

from tests.api.conftest import AppClient
from tests.authentication.members import OTHER_WORD, WORD, cheap
from tests.console.browsers import Browser
from tonnage.access.actor import Role
from tonnage.tokens import digest, new_token
from tonnage.web import csrf

pytestmark = pytest.mark.anyio

AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture
async def browser(client: AppClient) -> Browser:
    return await client.sign_in(await client.cast.distributor(), Role.VIEWER)


async def another_session(client: AppClient, browser: Browser) -> str:
    """Returns the session's id."""
    now = client.clock.now
    (session_id,) = await client.cast.row(
        """
        insert into session (member_id, digest, stage, created_at, last_seen_at, ip_address, user_agent)
        values (%s, %s, 'open', %s, %s, '192.0.2.7', %s) returning id
        """,
        browser.member_id, digest(new_token()), now, now, AGENT,
    )  # fmt: skip
    return str(session_id)


async def test_name_region_and_time_zone_are_kept_and_shown(browser: Browser) -> None:
    fields = {"name": "<i>Ann</i>", "locale": "de_DE", "time_zone": "Europe/Berlin"}
    assert (await browser.send("/profile", fields)).status_code == 303
    page = await browser.get("/profile")
    assert "&lt;i&gt;Ann&lt;/i&gt;" in page.text
    assert '<option value="de_DE" selected>' in page.text
    assert '<option value="Europe/Berlin" selected>' in page.text
    assert "1.234.567,89" in page.text
    assert (await browser.send("/profile", {"name": " ", "locale": "", "time_zone": "UTC"})).status_code == 303
    assert "1,234,567.89" in (await browser.get("/profile")).text


async def test_examples_follow_a_choice_before_it_is_saved(browser: Browser) -> None:
    tried = await browser.get("/profile?locale=de_DE&time_zone=Asia/Tokyo")
    assert "1.234.567,89" in tried.text
    assert "JST" in tried.text
    assert (await browser.get("/profile?locale=nonsense&time_zone=../etc/passwd")).status_code == 200


async def test_what_is_no_region_or_time_zone_is_refused_by_its_field(browser: Browser) -> None:
    refused = await browser.send("/profile", {"name": "x" * 201, "locale": "xx_YY", "time_zone": "Mars/Olympus"})
    assert refused.status_code == 422
    for name in ("name", "locale", "time_zone"):
        assert f'id="{name}-error"' in refused.text
    assert "x" * 201 in refused.text


async def test_a_new_password_ends_the_other_sessions(client: AppClient, browser: Browser) -> None:
    known = await cheap().hash(WORD)
    await client.cast.row("update member set password_hash = %s where id = %s returning id", known, browser.member_id)
    await another_session(client, browser)
    wrong = await browser.send("/profile/password", {"current": "wrong", "new": OTHER_WORD})
    assert wrong.status_code == 422
    assert 'id="current-error"' in wrong.text
    assert OTHER_WORD not in wrong.text
    weak = await browser.send("/profile/password", {"current": WORD, "new": "short"})
    assert (weak.status_code, 'id="new-error"' in weak.text) == (422, True)
    assert (await browser.send("/profile/password", {"current": WORD, "new": OTHER_WORD})).status_code == 303
    (left,) = await client.cast.row("select count(*) from session where member_id = %s", browser.member_id)
    assert left == 1
    assert "Password changed" in (await browser.get("/profile/password")).text


async def test_too_many_wrong_passwords_are_held_off(browser: Browser) -> None:
    for _ in range(9):
        assert (await browser.send("/profile/password", {"current": "wrong", "new": OTHER_WORD})).status_code == 422
    # This one leads to a block, of which the member is notified by mail.
    tenth = {"csrf": csrf.token(browser.token), "current": "wrong", "new": OTHER_WORD}
    assert (await browser.http.post("/profile/password", data=tenth)).status_code == 422
    held_off = await browser.send("/profile/password", {"current": "wrong", "new": OTHER_WORD})
    assert (held_off.status_code, held_off.headers["retry-after"]) == (429, "60")


async def test_sessions_are_listed_and_ended(client: AppClient, browser: Browser) -> None:
    other = await another_session(client, browser)
    page = await browser.get("/profile/sessions")
    assert "Firefox on Linux" in page.text
    assert "192.0.2.7" in page.text
    assert page.text.count("This session") == 1
    assert re.findall(r"/profile/sessions/([0-9a-f-]{36})/end", page.text) == [other]
    assert (await browser.post(f"/profile/sessions/{other}/end")).status_code == 303
    assert (await browser.post(f"/profile/sessions/{other}/end")).status_code == 404
    assert "192.0.2.7" not in (await browser.get("/profile/sessions")).text


async def test_all_other_sessions_end_at_once(client: AppClient, browser: Browser) -> None:
    for _ in range(3):
        await another_session(client, browser)
    assert (await browser.send("/profile/sessions")).status_code == 405
    assert (await browser.post("/profile/sessions/others/end")).status_code == 303
    assert "192.0.2.7" not in (await browser.get("/profile/sessions")).text


async def test_other_members_sessions_are_not_found(client: AppClient, browser: Browser) -> None:
    colleague = await client.sign_in(client.cast.operator)
    other = await another_session(client, browser)
    assert (await colleague.post(f"/profile/sessions/{other}/end")).status_code == 404
    assert (await browser.get("/profile")).status_code == 200
    assert "192.0.2.7" in (await browser.get("/profile/sessions")).text

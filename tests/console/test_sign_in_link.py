"""The pages with which a member signs in although others guess at the password."""

import re
import uuid

import httpx
import pytest

from tests.api.conftest import AppClient
from tests.authentication.members import OTHER_WORD, WORD, FakeOutbox, Person, services_of
from tests.authentication.test_from_everywhere import guess_from_everywhere
from tests.cast import NOW
from tests.cli.command import Command
from tests.console.guests import ann, browser, send, sign_in
from tonnage.authentication.jobs import send_reset
from tonnage.devices.jobs import send_link
from tonnage.mail import Mailer

__all__ = ["ann", "browser"]
"""The fixtures of guests."""

pytestmark = pytest.mark.anyio

PAGE = "/sign-in/device"


async def mailed(ann: Person) -> str:
    outbox = FakeOutbox()
    await send_link(services_of(ann, lambda: NOW, Mailer(outbox, "http://tonnage")), str(ann.id))
    return re.findall(r"http://tonnage(/\S+)", outbox.sent[0].text)[0]


async def test_the_page_leads_to_a_link(browser: httpx.AsyncClient, ann: Person) -> None:
    await guess_from_everywhere(ann)
    refused = await sign_in(browser, ann)
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "3600")
    assert 'href="/sign-in/link"' in refused.text
    asked = await send(browser, "/sign-in/link", {"email": f" {ann.email.upper()} "})
    assert asked.headers["location"] == "/sign-in/link/asked"
    unknown = await send(browser, "/sign-in/link", {"email": f"{uuid.uuid4().hex}@example.org"})
    assert unknown.headers["location"] == "/sign-in/link/asked"
    path = await mailed(ann)
    moved = await browser.get(path)
    assert (moved.headers["referrer-policy"], moved.headers["location"]) == ("no-referrer", PAGE)
    opened = await browser.get(PAGE)
    assert ann.email not in opened.text
    assert (await browser.get(path, follow_redirects=True)).status_code == 200  # mail programs open links, too
    known = await send(browser, PAGE, {})
    assert (known.status_code, known.headers["location"]) == (303, "/sign-in")
    cookie = next(line for line in known.headers.get_list("set-cookie") if line.startswith("tonnage-device="))
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert (await sign_in(browser, ann, "wrong")).status_code == 422
    assert (await sign_in(browser, ann)).status_code == 303
    assert (await browser.get(path, follow_redirects=True)).status_code == 404


async def test_a_used_link_is_worth_nothing(browser: httpx.AsyncClient, ann: Person) -> None:
    path = await mailed(ann)
    page = await browser.get(path, follow_redirects=True)
    fields = {"csrf": re.findall(r'name="csrf" value="([^"]+)"', page.text)[0]}
    assert (await browser.post(PAGE, data=fields)).status_code == 303
    assert (await browser.post(PAGE, data=fields)).status_code == 404
    assert (await browser.get(PAGE)).status_code == 404
    assert (await browser.get("/sign-in/device/invented", follow_redirects=True)).status_code == 404


async def test_a_form_of_another_site_uses_no_link(browser: httpx.AsyncClient, ann: Person) -> None:
    path = await mailed(ann)
    assert (await browser.get(path, follow_redirects=True)).status_code == 200
    assert (await browser.post(PAGE, data={"csrf": "guessed"})).status_code == 403
    assert (await browser.get(PAGE)).status_code == 200


async def test_a_browser_stays_known_after_signing_out(browser: httpx.AsyncClient, ann: Person) -> None:
    assert (await sign_in(browser, ann)).status_code == 303
    page = await browser.get("/profile")
    csrf = re.findall(r'name="csrf" value="([^"]+)"', page.text)[0]
    assert (await browser.post("/sign-out", data={"csrf": csrf})).status_code == 303
    await guess_from_everywhere(ann)
    assert (await sign_in(browser, ann)).status_code == 303


async def test_a_browser_is_known_after_a_new_password(browser: httpx.AsyncClient, ann: Person) -> None:
    await guess_from_everywhere(ann)
    outbox = FakeOutbox()
    await send_reset(services_of(ann, lambda: NOW, Mailer(outbox, "http://tonnage")), str(ann.id))
    (path,) = re.findall(r"http://tonnage(/sign-in/new-password/\S+)", outbox.sent[0].text)
    page = await browser.get(path, follow_redirects=True)
    link = re.findall(r'name="link" value="([^"]+)"', page.text)[0]
    assert (await send(browser, page.url.path, {"password": OTHER_WORD, "link": link})).status_code == 303
    assert (await sign_in(browser, ann, OTHER_WORD)).status_code == 303
    changed = await send(browser, "/profile/password", {"current": OTHER_WORD, "new": WORD})
    assert changed.status_code == 303
    browser.cookies.delete("tonnage-session")
    assert (await sign_in(browser, ann)).status_code == 303


def test_the_command_prints_a_link(conninfo: str) -> None:
    tonnage, email = Command(conninfo), f"{uuid.uuid4().hex}@example.org"
    tonnage.ok("operator", "create", "--email", email, stdin=f"{WORD}\n")
    said = tonnage.ok("member", "allow-sign-in", email.upper())
    assert re.fullmatch(r"http://127\.0\.0\.1:8080/sign-in/device/[\w-]{43}\n", said)
    assert "There is no member" in tonnage.refused("member", "allow-sign-in", "nobody@example.org")


@pytest.mark.parametrize("path", ["/sign-in/link", "/sign-in/forgotten"])
async def test_too_many_requests_are_refused(client: AppClient, browser: httpx.AsyncClient, path: str) -> None:
    answers = [(await send(browser, path, {"email": "some@example.org"})).status_code for _ in range(21)]
    assert answers == [303] * 20 + [429]

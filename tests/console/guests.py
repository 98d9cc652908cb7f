"""Browsers without a session."""

import re
from collections.abc import AsyncGenerator
from urllib.parse import quote

import httpx
import pytest

from tests.api.conftest import AppClient
from tests.authentication import members
from tests.authentication.members import WORD, Person, person


@pytest.fixture
async def ann(client: AppClient) -> Person:
    return await person(client.cast, await client.cast.distributor())


@pytest.fixture
async def browser(client: AppClient) -> AsyncGenerator[httpx.AsyncClient]:
    """With a unique address, so that tests do not block each other."""
    transport = httpx.ASGITransport(client.app, client=(members.client().address, 1))
    headers = {"Accept": "text/html", "Accept-Language": "en-GB"}
    async with httpx.AsyncClient(transport=transport, base_url="http://tonnage", headers=headers) as browser:
        yield browser


async def send(browser: httpx.AsyncClient, path: str, fields: dict[str, str], to: str | None = None) -> httpx.Response:
    """Sends the form of a page with the page's own token."""
    page = await browser.get(path)
    found = re.search(r'name="csrf" value="([^"]+)"', page.text)
    assert found, page.status_code
    return await browser.post(to or path, data={"csrf": found[1], **fields})


async def sign_in(
    browser: httpx.AsyncClient, ann: Person, password: str = WORD, next_path: str = "/"
) -> httpx.Response:
    path = f"/sign-in?next={quote(next_path)}"
    return await send(browser, path, {"email": ann.email, "password": password, "next": next_path}, "/sign-in")

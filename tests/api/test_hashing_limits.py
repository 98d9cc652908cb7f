"""Requests that hash a password: refused early beyond a share, and for what does not exist."""

import re
import uuid
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx
import pytest
from argon2 import PasswordHasher

from tests.api.conftest import CHEAP, AccountData, AppClient, Clock, account_data
from tests.api.wire import Wire
from tests.authentication.members import WORD, person
from tests.cast import NOW, Cast
from tests.clocks import clocks
from tests.console.guests import send
from tonnage.asgi import create_app
from tonnage.authentication.session import ClientInfo
from tonnage.authentication.sign_in_actions import sign_in
from tonnage.errors import Busy, Unauthenticated
from tonnage.passwords import PER_NETWORK, PER_ORGANISATION, Passwords, Requester

pytestmark = pytest.mark.anyio


class CountingHasher(PasswordHasher):
    """Counts the hashes that it makes or verifies."""

    count = 0

    def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
        self.count += 1
        return super().hash(password, salt=salt)


@pytest.fixture
def hasher() -> CountingHasher:
    return CountingHasher(time_cost=1, memory_cost=8, parallelism=1)


@pytest.fixture
async def client(conninfo: str, cast: Cast, hasher: CountingHasher) -> AsyncGenerator[AppClient]:
    app = create_app(conninfo, **clocks(lambda: NOW), passwords=Passwords(hasher, refusal_delay=0))
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(app.router.lifespan_context(app))
        http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://tonnage")
        yield AppClient(app, cast, Clock(), await stack.enter_async_context(http), stack)


@asynccontextmanager
async def at_their_limit(client: AppClient, data: AccountData) -> AsyncGenerator[None]:
    """Both organisations have as many requests in progress as they may, all from other clients."""
    passwords: Passwords = client.app.state.services.passwords
    async with AsyncExitStack() as stack:
        for number in range(PER_ORGANISATION):
            for organisation in (data.distributor, data.partner):
                requester = Requester(f"{organisation.kind} {number}", organisation.organisation_id)
                await stack.enter_async_context(passwords.admit(requester))
        yield


def of_the_api(data: AccountData, partner: str, account: str) -> list[tuple[str, str, dict[str, Any]]]:
    """The distributor's requests that hash, for a partner and an account."""
    owner = {"contactEmail": f"{uuid.uuid4().hex}@example.org", "password": WORD}
    new = {"name": "A", "allocatedCapacity": 0, "allowOverdraft": False, "clientAccount": owner}
    member = {"email": f"{uuid.uuid4().hex}@example.org", "password": WORD, "role": "viewer"}
    return [
        ("POST", f"/v1/partner/{partner}/member", member),
        ("POST", f"/v1/partner/{partner}/storage-accounts", new),
        ("PUT", f"/ext/v1/partner/{partner}/storage-accounts/{account}/password", {"password": WORD}),
    ]


async def test_a_key_with_too_many_requests_is_refused_without_a_statement(client: AppClient) -> None:
    data = await account_data(client)
    key = await client.key(data.distributor)
    await client.call("GET", "/v1/contract/list", key)
    requests = of_the_api(data, str(data.partner.organisation_id), str(data.account))
    async with at_their_limit(client, data):
        for method, path, body in requests:
            async with Wire.traced(client) as wire:
                answer = await client.http.request(method, path, json=body, headers={"Authorization": f"Bearer {key}"})
            assert (answer.status_code, answer.headers.get("retry-after")) == (503, "2"), path
            assert wire.statements == [], path
    for method, path, body in requests:
        assert (await client.call(method, path, key, json=body)).is_success


async def test_nothing_is_hashed_for_what_does_not_exist(client: AppClient, hasher: CountingHasher) -> None:
    data = await account_data(client)
    key, before = await client.key(data.distributor), hasher.count
    for partner, account in (
        (str(uuid.uuid4()), str(data.account)),
        (str(data.partner.organisation_id), "999999999999"),
    ):
        for method, path, body in of_the_api(data, partner, account):
            if account == str(data.account) or "password" in path:
                assert (await client.call(method, path, key, json=body)).status_code == 404
    assert hasher.count == before


async def test_pages_of_an_organisation_with_too_many_requests_keep_what_was_typed(client: AppClient) -> None:
    data = await account_data(client)
    browser = await client.sign_in(data.partner)
    forms = {
        "/team/new": {"email": "kept@example.org", "role": "viewer", "password": WORD},
        f"/team/{data.member}/password": {"password": WORD},
        "/profile/password": {"current": WORD, "new": WORD},
        f"/partner/accounts/{data.account}/password": {"password": WORD},
        "/partner/accounts/new": {
            "name": "kept",
            "email": "kept@example.org",
            "password": WORD,
            "allocated": "1",
            "allocated_unit": "GB",
        },
    }
    async with at_their_limit(client, data):
        for path, fields in forms.items():
            answer = await browser.send(path, fields)
            assert (answer.status_code, answer.headers.get("retry-after")) == (503, "2"), path
            assert "Too many passwords" in answer.text, path
            assert "kept" in answer.text or "kept" not in str(fields), path


async def test_a_sign_in_that_was_not_verified_is_not_counted(client: AppClient) -> None:
    ann = await person(client.cast, await client.cast.distributor())
    passwords, at = Passwords(CHEAP, refusal_delay=0), ClientInfo("198.51.100.7", "")
    async with AsyncExitStack() as stack:
        for _ in range(PER_NETWORK):
            await stack.enter_async_context(passwords.admit(Requester.of("198.51.100.8")))
        for _ in range(20):
            with pytest.raises(Busy):
                await sign_in(ann.database, passwords, ann.email, "wrong", at, NOW)
        # The sign-in of another client is not affected.
        assert await sign_in(ann.database, passwords, ann.email, WORD, ann.client, NOW)
    with pytest.raises(Unauthenticated):
        await sign_in(ann.database, passwords, ann.email, "wrong", at, NOW)
    assert await sign_in(ann.database, passwords, ann.email, WORD, at, NOW)


async def test_a_refused_sign_in_says_so_in_its_form_whether_the_member_exists_or_not(client: AppClient) -> None:
    ann = await person(client.cast, await client.cast.distributor())
    passwords: Passwords = client.app.state.services.passwords
    texts: set[str] = set()
    for email in (ann.email, f"{uuid.uuid4().hex}@example.org"):
        async with guest(client) as browser, AsyncExitStack() as stack:
            for _ in range(PER_NETWORK):
                await stack.enter_async_context(passwords.admit(Requester.of("203.0.113.9")))
            answer = await send(browser, "/sign-in", {"email": email, "password": WORD, "next": "/"})
        assert (answer.status_code, answer.headers.get("retry-after")) == (503, "2")
        assert email in answer.text
        texts.add(re.sub(r'name="csrf" value="[^"]+"', "", answer.text.replace(email, "")))
    assert len(texts) == 1


@pytest.mark.parametrize("path", ["/sign-in", "/sign-in/code", "/sign-in/forgotten", "/sign-in/new-password"])
async def test_a_form_of_a_guest_is_small(client: AppClient, path: str) -> None:
    async with guest(client) as browser:
        for size, status in ((16 * 1024, 403), (16 * 1024 + 1, 413)):
            body = b"x" * size
            answer = await browser.post(
                path, content=body, headers={"content-type": "application/x-www-form-urlencoded"}
            )
            assert answer.status_code == status, path


def guest(client: AppClient) -> httpx.AsyncClient:
    """A browser without a session, at an address of documentation."""
    transport = httpx.ASGITransport(client.app, client=("203.0.113.1", 1))
    return httpx.AsyncClient(transport=transport, base_url="http://tonnage", headers={"Accept": "text/html"})

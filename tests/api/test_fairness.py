"""A tenant whose requests wait for a lock: they are refused in time, and nobody else waits for them."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from uuid import UUID

import httpx
import psycopg
import pytest

from tests.api.conftest import AppClient
from tests.cast import TB
from tonnage.access.actor import Actor

pytestmark = pytest.mark.anyio

WRITERS = 10


class Tenant:
    """A distributor with one partner, and their keys."""

    def __init__(self, client: AppClient) -> None:
        self._client = client
        self.distributor: Actor
        self.contract: UUID
        self.partner: Actor

    async def open(self) -> "Tenant":
        cast = self._client.cast
        self.distributor = await cast.distributor()
        self.contract = await cast.contract(self.distributor)
        self.partner = await cast.partner(self.distributor, self.contract, 10 * TB)
        await cast.account(self.partner, TB, region=await cast.region())
        self.keys = await self._client.key(self.distributor), await self._client.key(self.partner)
        self.browser = await self._client.sign_in(self.distributor)
        return self

    async def call(self, method: str, path: str, key: str, body: object = None) -> httpx.Response:
        headers = {"Authorization": f"Bearer {key}"}
        return await self._client.http.request(method, path, headers=headers, json=body)

    async def write(self, number: int) -> httpx.Response:
        """Changes the partner, by its distributor or by itself."""
        if number % 2:
            path = f"/v1/partner/{self.partner.organisation_id}"
            return await self.call("PUT", path, self.keys[0], {"allocatedCapacity": (11 + number) * TB})
        email = f"{number}.{self.partner.organisation_id}@example.org"
        account = {
            "allocatedCapacity": TB,
            "allowOverdraft": False,
            "clientAccount": {"contactEmail": email, "password": "Choose-1-yourself"},
            "name": f"Customer {number}",
        }
        return await self.call("POST", "/v1/storage-account", self.keys[1], account)

    async def resize_by_page(self) -> httpx.Response:
        path = f"/distributor/partners/{self.partner.organisation_id}/allocation"
        fields = {**await self.browser.form(path), "allocated": "20", "allocated_unit": "TB"}
        return await self.browser.http.post(path, data=fields)

    async def read_and_write(self) -> list[int]:
        """One of each kind of request, and a page."""
        page = await self.browser.http.get("/distributor/partners")
        answers = [
            await self.call("GET", "/v1/contract/list", self.keys[0]),
            await self.call("GET", f"/v1/contract/{self.contract}/partners", self.keys[0]),
            await self.write(1),
            await self.write(2),
        ]
        return [page.status_code, *(answer.status_code for answer in answers)]


@pytest.fixture
async def data(client: AppClient) -> tuple[Tenant, Tenant]:
    return await Tenant(client).open(), await Tenant(client).open()


@contextmanager
def locked(conninfo: str, partner: Actor) -> Generator[None]:
    """A transaction that holds the row of the partner, as long work would."""
    with psycopg.connect(conninfo) as conn:
        conn.execute("select from partner where id = %s for update", [partner.organisation_id])
        yield
        conn.rollback()


def waiting(conninfo: str) -> int:
    """How many statements wait for a lock."""
    with psycopg.connect(conninfo) as conn:
        row = conn.execute(
            "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
        ).fetchone()
    return row[0] if row else 0


async def until_waiting(conninfo: str, statements: int) -> None:
    async with asyncio.timeout(60):
        while waiting(conninfo) < statements:  # noqa: ASYNC110 - the database has no event for it
            await asyncio.sleep(0.01)


async def test_a_lock_on_one_partner_delays_nobody_else(
    conninfo: str, client: AppClient, data: tuple[Tenant, Tenant]
) -> None:
    slow, other = data
    assert await other.read_and_write() == [200, 200, 200, 200, 201]
    before = (await slow.call("GET", f"/v1/partner/{slow.partner.organisation_id}", slow.keys[0])).json()
    with locked(conninfo, slow.partner):
        writers = [asyncio.create_task(slow.write(number)) for number in range(WRITERS)]
        await until_waiting(conninfo, 6)
        done = [await other.read_and_write() for _ in range(10)]
        answers = await asyncio.gather(*writers)
    assert {status for statuses in done for status in statuses} <= {200, 201, 409}
    assert {answer.status_code for answer in answers} == {503}
    assert {answer.headers.get("retry-after") for answer in answers} <= {"2", "5"}, "passwords or connections"
    after = (await slow.call("GET", f"/v1/partner/{slow.partner.organisation_id}", slow.keys[0])).json()
    assert after == before
    assert await slow.read_and_write() == [200, 200, 200, 200, 201]


async def test_pages_of_a_tenant_count_too(conninfo: str, client: AppClient, data: tuple[Tenant, Tenant]) -> None:
    slow, other = data
    with locked(conninfo, slow.partner):
        writers = [asyncio.create_task(slow.resize_by_page()) for _ in range(WRITERS)]
        await until_waiting(conninfo, 3)
        done: list[list[int]] = []
        for _ in range(5):
            assert waiting(conninfo) <= 3, "the share of an organisation"
            done.append(await other.read_and_write())
        answers = await asyncio.gather(*writers)
    assert {status for statuses in done for status in statuses} <= {200, 201, 409}
    assert {(answer.status_code, answer.headers.get("retry-after")) for answer in answers} == {(503, "5")}

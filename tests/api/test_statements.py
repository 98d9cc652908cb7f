"""What a request costs the database, counted on the wire: libpq itself writes down what it sends.

So nothing hides. A statement is a Query message or an Execute message, and BEGIN, COMMIT and SAVEPOINT are statements.
"""

import tempfile
import uuid
from collections.abc import AsyncGenerator, Awaitable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from psycopg.pq import Trace

from tests.api.conftest import Business, House
from tests.cast import NOW, TB
from tonnage.access.keyring import CACHE_SECONDS
from tonnage.db import Pool

pytestmark = pytest.mark.anyio


@dataclass
class Wire:
    """The statements that went to the database meanwhile; a text is known of those that were not prepared before."""

    pools: tuple[Pool, ...]
    statements: list[str] = field(default_factory=list[str])

    @classmethod
    @asynccontextmanager
    async def tapped(cls, house: House) -> AsyncGenerator["Wire"]:
        database = house.app.state.resources.database
        wire = cls((database.pool, database.streams))
        async with AsyncExitStack() as stack:
            sizes = [await wire.listen(pool, stack) for pool in wire.pools]
            yield wire
            assert [size_of(pool) for pool in wire.pools] == sizes, "there is a connection that nobody has listened to"

    async def listen(self, pool: Pool, stack: AsyncExitStack) -> int:
        """To all connections that there are, and those that the pool has begun to open."""
        listened_to = 0
        async with AsyncExitStack() as taken:
            while listened_to < size_of(pool):
                listened_to += 1
                connection = await taken.enter_async_context(pool.connection())
                log = tempfile.TemporaryFile("r")  # noqa: SIM115  closed by the stack, last of all
                stack.callback(log.close)
                stack.callback(self.read, log)
                connection.pgconn.trace(log.fileno())
                connection.pgconn.set_trace_flags(Trace.SUPPRESS_TIMESTAMPS)
                stack.callback(connection.pgconn.untrace)
        return listened_to

    def read(self, log: Any) -> None:
        log.seek(0)
        messages = [line.split("\t") for line in log if line.startswith("F")]
        self.statements += [" ".join(message[3:]) for message in messages if message[2] in {"Query", "Execute"}]


def size_of(pool: Pool) -> int:
    return pool.get_stats()["pool_size"]


async def cost(house: House, call: Awaitable[Any], status: int) -> int:
    async with Wire.tapped(house) as wire:
        answer = await call
        assert answer.status_code == status, answer.text
    return len(wire.statements)


async def test_the_count_counts(house: House) -> None:
    database = house.app.state.resources.database

    async def two(connection: Any) -> None:
        await connection.execute("select 1")
        await connection.execute("select %s::int", [1])

    async with Wire.tapped(house) as wire:
        await database.run(two)
        await database.transaction(two)
    assert len(wire.statements) == 2 + 4


@dataclass
class Requests:
    """The two that everybody makes all day: reading the contracts, and creating a partner."""

    house: House
    business: Business
    key: str

    def contracts(self) -> Awaitable[Any]:
        return self.house.call("GET", "/v1/contract/list", self.key)

    def page(self) -> Awaitable[Any]:
        return self.house.call("GET", "/v1/contract/list", self.key, params={"limit": "2"})

    def creation(self, allocated: int = 0) -> Awaitable[Any]:
        body = {"name": "A", "allocatedCapacity": allocated, "distributorContractId": str(self.business.contract)}
        return self.house.call("POST", "/v1/partner", self.key, json=body)

    def account(self) -> Awaitable[Any]:
        owner = {"contactEmail": f"{uuid.uuid4().hex}@example.org", "password": "Sesame-opens-1"}
        body = {"name": "A", "allocatedCapacity": 0, "allowOverdraft": False, "clientAccount": owner}
        path = f"/v1/partner/{self.business.partner.organisation_id}/storage-accounts"
        return self.house.call("POST", path, self.key, json=body)


@pytest.fixture
async def requests(house: House, business: Business) -> Requests:
    return Requests(house, business, await house.key(business.distributor))


async def test_with_the_key_at_hand_a_request_is_one_statement(house: House, requests: Requests) -> None:
    assert (await requests.contracts()).status_code == 200
    house.clock.now = NOW + timedelta(seconds=0.999 * CACHE_SECONDS)
    # More often than it takes the driver to prepare a statement.
    for _ in range(8):
        assert await cost(house, requests.contracts(), 200) == 1
        assert await cost(house, requests.page(), 200) == 1
        assert await cost(house, requests.creation(), 201) == 1


async def test_looking_the_key_up_is_one_more(house: House, requests: Requests) -> None:
    for second in range(1, 9):
        house.clock.now = NOW + timedelta(seconds=2 * second * CACHE_SECONDS)
        assert await cost(house, requests.contracts(), 200) == 2
        house.clock.now += timedelta(seconds=CACHE_SECONDS)
        assert await cost(house, requests.creation(), 201) == 2


async def test_what_may_ask_for_a_job_is_one_statement_in_a_transaction(house: House, requests: Requests) -> None:
    """In a metered region it does not, and nothing more goes to the database."""
    assert (await requests.contracts()).status_code == 200
    for _ in range(8):
        assert await cost(house, requests.account(), 201) == 3


async def test_a_refusal_may_read_the_numbers(house: House, requests: Requests) -> None:
    assert (await requests.contracts()).status_code == 200
    assert await cost(house, requests.creation(1000 * TB), 409) == 2


async def test_strangers_cost_no_statement_unless_their_key_looks_right(house: House, requests: Requests) -> None:
    for headers in ({}, {"Authorization": "Bearer tng_nonsense"}, {"Authorization": f"Bearer {requests.key[:-1]}"}):
        assert await cost(house, house.call("GET", "/v1/contract/list", headers=headers), 401) == 0
    assert await cost(house, house.call("GET", f"/v1/partner/{uuid.uuid4()}/nothing", requests.key), 404) == 0

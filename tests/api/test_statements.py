"""The number of statements of a request."""

import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from tests.api.conftest import AccountData, AppClient, account_data, application
from tests.api.wire import Wire
from tests.cast import NOW, TB, Cast
from tonnage.api_keys.key_cache import CACHE_SECONDS
from tonnage.db import connect

pytestmark = pytest.mark.anyio


@pytest.fixture
async def client(conninfo: str, cast: Cast) -> AsyncGenerator[AppClient]:
    """The test's own statements take other connections than those that are listened to."""
    async with application(conninfo, cast) as client:
        yield client


async def cost(client: AppClient, call: Awaitable[Any], status: int) -> int:
    async with Wire.traced(client) as wire:
        answer = await call
        assert answer.status_code == status, answer.text
    return len(wire.statements)


async def test_the_count_counts(client: AppClient) -> None:
    database = client.app.state.services.database

    async def two(connection: Any) -> None:
        await connection.execute("select 1")
        await connection.execute("select %s::int", [1])

    async with Wire.traced(client) as wire:
        await database.run(two)
        await database.transaction(two)
    assert len(wire.statements) == 2 + 4


@dataclass
class Requests:
    """The two most frequent ones: reading the contracts, and creating a partner."""

    client: AppClient
    data: AccountData
    key: str

    def contracts(self) -> Awaitable[Any]:
        return self.client.call("GET", "/v1/contract/list", self.key)

    def page(self) -> Awaitable[Any]:
        return self.client.call("GET", "/v1/contract/list", self.key, params={"limit": "2"})

    def creation(self, allocated: int = 0) -> Awaitable[Any]:
        body = {"name": "A", "allocatedCapacity": allocated, "distributorContractId": str(self.data.contract)}
        return self.client.call("POST", "/v1/partner", self.key, json=body)

    def account(self) -> Awaitable[Any]:
        owner = {"contactEmail": f"{uuid.uuid4().hex}@example.org", "password": "Sesame-opens-1"}
        body = {"name": "A", "allocatedCapacity": 0, "allowOverdraft": False, "clientAccount": owner}
        path = f"/v1/partner/{self.data.partner.organisation_id}/storage-accounts"
        return self.client.call("POST", path, self.key, json=body)


@pytest.fixture
async def requests(client: AppClient, data: AccountData) -> Requests:
    return Requests(client, data, await client.key(data.distributor))


async def test_with_a_cached_key_a_request_is_one_statement(client: AppClient, requests: Requests) -> None:
    assert (await requests.contracts()).status_code == 200
    client.clock.now = NOW + timedelta(seconds=0.999 * CACHE_SECONDS)
    # More often than the driver needs before it prepares a statement.
    for _ in range(8):
        assert await cost(client, requests.contracts(), 200) == 1
        assert await cost(client, requests.page(), 200) == 1
        assert await cost(client, requests.creation(), 201) == 1


async def test_looking_the_key_up_is_one_more(client: AppClient, requests: Requests) -> None:
    for second in range(1, 9):
        client.clock.now = NOW + timedelta(seconds=2 * second * CACHE_SECONDS)
        assert await cost(client, requests.contracts(), 200) == 2
        client.clock.now += timedelta(seconds=CACHE_SECONDS)
        assert await cost(client, requests.creation(), 201) == 2


async def test_a_change_that_may_defer_a_job_is_one_statement_in_a_transaction(
    new_database: Callable[[], AbstractContextManager[str]],
) -> None:
    """Where no region has a cluster, no job is deferred, and no further statement is sent. One read comes before the
    password is hashed.
    """
    with new_database() as conninfo:
        async with connect(conninfo) as database, application(conninfo, await Cast.of(database)) as client:
            data = await account_data(client)
            requests = Requests(client, data, await client.key(data.distributor))
            assert (await requests.contracts()).status_code == 200
            for _ in range(8):
                assert await cost(client, requests.account(), 201) == 4


async def test_a_refusal_may_read_the_numbers(client: AppClient, requests: Requests) -> None:
    assert (await requests.contracts()).status_code == 200
    assert await cost(client, requests.creation(1000 * TB), 409) == 2


async def test_malformed_keys_and_unknown_paths_cost_no_statement(client: AppClient, requests: Requests) -> None:
    for headers in ({}, {"Authorization": "Bearer tng_nonsense"}, {"Authorization": f"Bearer {requests.key[:-1]}"}):
        assert await cost(client, client.call("GET", "/v1/contract/list", headers=headers), 401) == 0
    assert await cost(client, client.call("GET", f"/v1/partner/{uuid.uuid4()}/nothing", requests.key), 404) == 0

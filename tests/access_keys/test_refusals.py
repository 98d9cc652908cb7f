"""Refusals of access keys: what the client reads, and that no key is left."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.access_keys.keys import create_key, delete_key, keys_path, list_keys, refused_changes
from tests.api.conftest import AccountData
from tests.cast import TB
from tests.ceph_client import ClusterClient
from tests.storage.conftest import SHORT_TIMEOUTS
from tonnage.access_keys import actions as access_key_actions
from tonnage.access_keys import queries as access_key_queries
from tonnage.access_keys.access_key import new_access_key
from tonnage.errors import Unavailable
from tonnage.provisioning import queries as provisioning_queries
from tonnage.regions.backends import OpenBackends
from tonnage.storage.backend import MAX_ACCESS_KEYS, ClusterUser

pytestmark = [pytest.mark.anyio, pytest.mark.ceph]


@pytest.fixture
def client(client: ClusterClient) -> ClusterClient:
    return client


async def refusal(client: ClusterClient, data: AccountData, account: int | None = None) -> tuple[int, str]:
    """Status and detail of the refusal of a new key."""
    path = keys_path(data, account)
    answer = await client.call("POST", path, await client.key(data.partner), json={})
    assert ("retry-after" in answer.headers) == (answer.status_code == 503)
    return answer.status_code, answer.json()["detail"]


async def key_count(client: ClusterClient) -> int:
    (count,) = await client.cast.row("select count(*) from access_key")
    return count


@asynccontextmanager
async def use_backends(client: ClusterClient, key_file: Path | None) -> AsyncGenerator[None]:
    """The application has a short time limit for its gateway, whose credentials are sealed with `key_file`."""
    before = client.services
    other = OpenBackends(client.database, key_file, SHORT_TIMEOUTS)
    client.app.state.services = replace(before, backends=other)
    try:
        yield
    finally:
        client.app.state.services = before
        await other.close()


@pytest.mark.parametrize("stalled", [False, True], ids=["gone", "stalled"])
async def test_retries_during_an_outage_succeed_right_after_it(client: ClusterClient, stalled: bool) -> None:
    data = await client.data()
    gateway = client.gateway
    async with use_backends(client, client.key_file):
        (gateway.stall if stalled else gateway.kill)()
        try:
            for _ in range(MAX_ACCESS_KEYS + 2 if not stalled else 3):
                status, sentence = await refusal(client, data)
                assert (status, "again" in sentence) == (503, True)
                assert await key_count(client) == 0
        finally:
            (gateway.resume if stalled else gateway.start)()
    await create_key(client, data)


async def test_keys_being_created_or_deleted_count(client: ClusterClient) -> None:
    data = await client.data()
    for _ in range(MAX_ACCESS_KEYS - 1):
        await client.database.run(access_key_queries.insert_key, data.account, new_access_key(), None, client.clock.now)
    made = await create_key(client, data)
    status, sentence = await refusal(client, data)
    assert (status, "9 being created or deleted" in sentence) == (503, True)
    assert await delete_key(client, data, made["accessKey"]) == 204


async def test_a_misconfiguration_is_disclosed_to_the_operator_only(
    client: ClusterClient, caplog: pytest.LogCaptureFixture
) -> None:
    data = await client.data()
    made = await create_key(client, data)
    caplog.set_level(logging.WARNING, logger="tonnage")
    key = await client.key(data.partner)
    async with use_backends(client, None):
        answers = await refused_changes(client, keys_path(data), made["accessKey"], key)
    neutral = "The storage cluster of this region is not available. Contact the operator."
    assert answers == [(503, neutral)] * 2
    logged = [record.getMessage() for record in caplog.records if "TONNAGE_SECRET_KEY_FILE" in record.getMessage()]
    assert len(logged) == 2
    assert all(str(data.account) in message for message in logged)
    # The key to be created is gone, and the key to be deleted will be.
    assert [one["status"] for one in await list_keys(client, data)] == ["deleting"]
    assert await key_count(client) == 1
    asked_for = "select count(*) from procrastinate_jobs where task_name = 'access_keys.clean_up'"
    assert await client.cast.row(asked_for) == (1,)


async def test_an_account_that_is_locked_for_long_is_not_waited_for(client: ClusterClient) -> None:
    data = await client.data()
    made = await create_key(client, data)
    key = await client.key(data.partner)
    async with client.database.pool.connection() as conn, conn.transaction():
        await conn.execute("select from storage_account where id = %s for update", [data.account])
        started = time.monotonic()
        answers = await asyncio.gather(
            refusal(client, data), client.call("DELETE", f"{keys_path(data)}/{made['accessKey']}", key)
        )
        assert time.monotonic() - started < 10
    sentence = "The account is locked by a long operation, such as a usage import. Try again in a minute."
    assert answers[0] == (503, sentence)
    assert (answers[1].status_code, answers[1].json()["detail"]) == (503, sentence)
    assert [one["status"] for one in await list_keys(client, data)] == ["active"]
    assert await key_count(client) == 1


async def test_waiting_for_the_database_counts(client: ClusterClient) -> None:
    data = await client.data()
    made = await create_key(client, data)
    services, partner = client.services, data.partner
    owner = partner.organisation_id
    calls: list[Callable[[], Awaitable[object]]] = [
        lambda: access_key_actions.create_key(services, partner, owner, data.account, None, 0.3),
        lambda: access_key_actions.delete_key(services, partner, owner, data.account, made["accessKey"], 0.3),
    ]
    async with AsyncExitStack() as stack:
        for _ in range(services.database.pool.max_size):
            await stack.enter_async_context(services.database.pool.connection())
        for call in calls:
            started = time.monotonic()
            with pytest.raises(Unavailable, match="in time"):
                await call()
            assert time.monotonic() - started < 3
    assert [one["status"] for one in await list_keys(client, data)] == ["active"]


async def test_an_account_that_its_cluster_refuses(client: ClusterClient) -> None:
    data = await client.data()
    refused = await client.cast.account(data.partner, TB)
    (address,) = await client.cast.row("select contact_email from storage_account where id = %s", refused)
    name = f"somebody-{time.monotonic_ns()}"
    client.gateway.admin("user", "create", "--uid", name, "--display-name", name, "--email", address)
    assert await refusal(client, data, refused) == (
        503,
        "The account is not on the storage cluster yet. Try again in a moment.",
    )
    await client.reconcile()
    status, sentence = await refusal(client, data, refused)
    assert (status, "another user of the cluster has this e-mail address" in sentence) == (409, True)
    assert await key_count(client) == 0


async def test_an_account_with_a_refused_change_gets_keys(client: ClusterClient) -> None:
    data = await client.data()
    await client.database.run(provisioning_queries.record_refusal, data.account, 1, "The storage cluster refuses it.")
    await create_key(client, data)


async def test_foreign_keys_count_towards_the_limit(client: ClusterClient) -> None:
    data = await client.data()
    ours = [(await create_key(client, data))["accessKey"] for _ in range(7)]
    backend = await client.backend()
    foreign = sorted(new_access_key() for _ in range(3))
    for one in foreign:
        await backend.create_key(ClusterUser(data.account), one)
    assert await refusal(client, data) == (
        409,
        "The account has 10 access keys on its cluster, the maximum. These were not created here: "
        f"{', '.join(foreign)}. Delete one first.",
    )
    assert await key_count(client) == len(ours)
    assert await delete_key(client, data, foreign[0]) == 204
    await create_key(client, data)

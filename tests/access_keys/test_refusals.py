"""What is said to those who get no access key, and that nothing is left of it."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.access_keys.keys import changed, drop, keys_path, listed, make
from tests.api.conftest import AccountData
from tests.cast import TB
from tests.clustered import ClusterClient
from tests.storage.conftest import HASTE
from tonnage.access_keys import actions as access_key_actions
from tonnage.access_keys import queries as access_key_queries
from tonnage.access_keys.access_key import new_access_key
from tonnage.errors import Unavailable
from tonnage.provisioning import queries as provisioning_queries
from tonnage.provisioning.actions import reconcile
from tonnage.regions.backends import OpenBackends
from tonnage.storage.backend import MAX_ACCESS_KEYS

pytestmark = [pytest.mark.anyio, pytest.mark.ceph]


@pytest.fixture
def client(client: ClusterClient) -> ClusterClient:
    return client


async def told(client: ClusterClient, data: AccountData, account: int | None = None) -> tuple[int, str]:
    """What whoever asks for a key is told instead."""
    path = keys_path(data, account)
    answer = await client.call("POST", path, await client.key(data.partner), json={})
    assert ("retry-after" in answer.headers) == (answer.status_code == 503)
    return answer.status_code, answer.json()["detail"]


async def rows(client: ClusterClient) -> int:
    (count,) = await client.cast.row("select count(*) from access_key")
    return count


@asynccontextmanager
async def with_planes(client: ClusterClient, key_file: Path | None) -> AsyncGenerator[None]:
    """The application does not wait long for its gateway, whose credentials are opened with `key_file`."""
    before = client.services
    other = OpenBackends(client.database, key_file, HASTE)
    client.app.state.services = replace(before, backends=other)
    try:
        yield
    finally:
        client.app.state.services = before
        await other.close()


@pytest.mark.parametrize("stalled", [False, True], ids=["gone", "stalled"])
async def test_who_keeps_asking_during_an_outage_gets_a_key_right_after_it(
    client: ClusterClient, stalled: bool
) -> None:
    data = await client.data()
    gateway = client.gateway
    async with with_planes(client, client.key_file):
        (gateway.stall if stalled else gateway.kill)()
        try:
            for _ in range(MAX_ACCESS_KEYS + 2 if not stalled else 3):
                status, sentence = await told(client, data)
                assert (status, "again" in sentence) == (503, True)
                assert await rows(client) == 0
        finally:
            (gateway.go_on if stalled else gateway.start)()
    await make(client, data)


async def test_ten_of_which_some_are_going_are_waited_for(client: ClusterClient) -> None:
    data = await client.data()
    for _ in range(MAX_ACCESS_KEYS - 1):
        await client.database.run(access_key_queries.insert_key, data.account, new_access_key(), None, client.clock.now)
    made = await make(client, data)
    status, sentence = await told(client, data)
    assert (status, "9 being created or deleted" in sentence) == (503, True)
    assert await drop(client, data, made["accessKey"]) == 204


async def test_what_the_operator_has_to_mend_is_told_to_nobody_else(
    client: ClusterClient, caplog: pytest.LogCaptureFixture
) -> None:
    data = await client.data()
    made = await make(client, data)
    caplog.set_level(logging.WARNING, logger="tonnage")
    key = await client.key(data.partner)
    async with with_planes(client, None):
        answers = await changed(client, keys_path(data), made["accessKey"], key)
    neutral = "The storage cluster of this region is not available. Contact the operator."
    assert answers == [(503, neutral)] * 2
    logged = [record.getMessage() for record in caplog.records if "TONNAGE_SECRET_KEY_FILE" in record.getMessage()]
    assert len(logged) == 2
    assert all(str(data.account) in message for message in logged)
    # The one that was to be made is no more, and the one that was to go will.
    assert [one["status"] for one in await listed(client, data)] == ["deleting"]
    assert await rows(client) == 1
    asked_for = "select count(*) from procrastinate_jobs where task_name = 'access_keys.clean_up'"
    assert await client.cast.row(asked_for) == (1,)


async def test_an_account_that_is_locked_for_long_is_not_waited_for(client: ClusterClient) -> None:
    data = await client.data()
    made = await make(client, data)
    key = await client.key(data.partner)
    async with client.database.pool.connection() as conn, conn.transaction():
        await conn.execute("select from storage_account where id = %s for update", [data.account])
        started = time.monotonic()
        answers = await asyncio.gather(
            told(client, data), client.call("DELETE", f"{keys_path(data)}/{made['accessKey']}", key)
        )
        assert time.monotonic() - started < 10
    sentence = "The account is locked by a long operation, such as a usage import. Try again in a minute."
    assert answers[0] == (503, sentence)
    assert (answers[1].status_code, answers[1].json()["detail"]) == (503, sentence)
    assert [one["status"] for one in await listed(client, data)] == ["active"]
    assert await rows(client) == 1


async def test_waiting_for_the_database_counts(client: ClusterClient) -> None:
    data = await client.data()
    made = await make(client, data)
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
    assert [one["status"] for one in await listed(client, data)] == ["active"]


async def test_an_account_that_its_cluster_refuses(client: ClusterClient) -> None:
    data = await client.data()
    refused = await client.cast.account(data.partner, TB)
    (address,) = await client.cast.row("select contact_email from storage_account where id = %s", refused)
    name = f"somebody-{time.monotonic_ns()}"
    client.gateway.admin("user", "create", "--uid", name, "--display-name", name, "--email", address)
    assert await told(client, data, refused) == (
        503,
        "The account is not on the storage cluster yet. Try again in a moment.",
    )
    await reconcile(client.database, await client.backend(), client.region_id)
    status, sentence = await told(client, data, refused)
    assert (status, "another user of the cluster has this e-mail address" in sentence) == (409, True)
    assert await rows(client) == 0


async def test_an_account_of_which_only_a_change_is_refused_has_keys(client: ClusterClient) -> None:
    data = await client.data()
    await client.database.run(provisioning_queries.record_refusal, data.account, 1, "The storage cluster refuses it.")
    await make(client, data)


async def test_keys_that_were_not_made_here_take_the_room(client: ClusterClient) -> None:
    data = await client.data()
    ours = [(await make(client, data))["accessKey"] for _ in range(7)]
    backend = await client.backend()
    for _ in range(3):
        await backend.create_key(data.account, new_access_key())
    assert await told(client, data) == (
        409,
        "The account has 10 access keys on its cluster, the maximum, and 3 of them were not created here. "
        "Ask the operator to remove those.",
    )
    assert await rows(client) == len(ours)

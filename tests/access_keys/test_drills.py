"""Access keys while the gateway stalls, answers are lost and clients disconnect: no key is left unrecorded."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
import uvicorn

from testbed.gateway import Gateway
from tests.access_keys.faulty_proxy import FaultyProxy
from tests.access_keys.keys import create_key, delete_key, keys_path, list_keys
from tests.api.conftest import AccountData
from tests.ceph_client import ClusterClient
from tests.storage.conftest import SHORT_TIMEOUTS
from tonnage.access.actor import Actor, Kind, Role
from tonnage.access_keys import jobs as access_key_jobs
from tonnage.access_keys import queries as access_key_queries
from tonnage.access_keys.clean_up_actions import clean_up_keys
from tonnage.errors import Unavailable
from tonnage.provisioning.drift import Drift
from tonnage.provisioning.key_drift_actions import compare_keys
from tonnage.regions.backends import OpenBackends
from tonnage.storage.backend import AccessKey, ClusterUser
from tonnage.storage.ceph import CephBackend

pytestmark = [pytest.mark.anyio, pytest.mark.ceph]

PENDING, DELETING = b"PUT /admin/user?key=", b"DELETE /admin/user?key="


@pytest.fixture
def client(client: ClusterClient) -> ClusterClient:
    return client


@asynccontextmanager
async def stalled(client: ClusterClient) -> AsyncGenerator[None]:
    """The gateway does not answer; the client's time limit is short."""
    services = client.services
    client.gateway.stall()
    try:
        short = OpenBackends(client.database, client.key_file, SHORT_TIMEOUTS)
        client.app.state.services = replace(services, backends=short)
        yield
        await short.close()
    finally:
        client.app.state.services = services
        client.gateway.resume()


@pytest.fixture
async def backend(gateway: Gateway) -> AsyncGenerator[CephBackend]:
    """A backend that reaches the gateway without the proxy."""
    opened = CephBackend(gateway.address, AccessKey(gateway.access_key, gateway.secret_key))
    yield opened
    await opened.close()


async def states(client: ClusterClient, data: AccountData) -> list[str]:
    found = await client.database.run(access_key_queries.keys_of, [data.account])
    return sorted(found.get(data.account, {}).values())


async def keys_on_gateway(client: ClusterClient, data: AccountData) -> tuple[str, ...]:
    return await (await client.backend()).keys(ClusterUser(data.account))


async def clean_up(client: ClusterClient) -> None:
    """Runs what the job of each minute requests, and nothing else."""
    await access_key_jobs.clean_up_all(client.services, "")
    (asked_for,) = await client.cast.row(
        """
        with taken as (
            delete from procrastinate_jobs where task_name = 'access_keys.clean_up' and status = 'todo' returning args
        )
        select coalesce(array_agg(args->>'subject'), '{}') from taken
        """
    )
    for region_id in asked_for:
        await access_key_jobs.clean_up(client.services, region_id)


async def assert_cleaned_up(client: ClusterClient, data: AccountData) -> None:
    """A key that may be in use stays untouched; a minute later it is settled."""
    before = await states(client, data)
    client.clock.now += timedelta(seconds=59)
    await clean_up(client)
    assert (
        await clean_up_keys(client.database, await client.backend(), await client.permit_changes(), client.clock.now)
        == []
    )
    assert await states(client, data) == before
    client.clock.now += timedelta(seconds=1)
    await clean_up(client)
    left = await states(client, data)
    assert (set(left) <= {"active"}, len(await keys_on_gateway(client, data))) == (True, len(left))


async def test_a_process_killed_before_the_answer_arrives(client: ClusterClient, proxy: FaultyProxy) -> None:
    data = await client.data()
    proxy.drop_prefix, proxy.hang = PENDING, True
    asking = asyncio.create_task(create_key(client, data))
    await proxy.dropped.wait()
    asking.cancel()
    with suppress(asyncio.CancelledError):
        await asking
    assert (await states(client, data), len(await keys_on_gateway(client, data))) == (["pending"], 1)
    assert await list_keys(client, data) == []
    await assert_cleaned_up(client, data)
    assert (await states(client, data), await keys_on_gateway(client, data)) == ([], ())
    assert await client.cast.row("select count(*) from audit_entry where action like 'account.%%key'") == (0,)


async def test_after_a_lost_answer_another_key_can_be_created(client: ClusterClient, proxy: FaultyProxy) -> None:
    data = await client.data()
    proxy.drop_prefix = PENDING
    answer = await client.call("POST", keys_path(data), await client.key(data.partner), json={})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    proxy.drop_prefix = b""
    made = await create_key(client, data)
    assert await states(client, data) == ["active", "pending"]
    assert len(await keys_on_gateway(client, data)) == 2
    await assert_cleaned_up(client, data)
    assert await keys_on_gateway(client, data) == (made["accessKey"],)
    with client.customer(made["accessKey"], made["secretKey"]) as customer:
        assert customer.attempt("list_buckets") == "done"


async def test_a_process_killed_during_a_deletion(client: ClusterClient, proxy: FaultyProxy) -> None:
    data = await client.data()
    made = await create_key(client, data)
    proxy.drop_prefix, proxy.hang = DELETING, True
    asking = asyncio.create_task(delete_key(client, data, made["accessKey"]))
    await proxy.dropped.wait()
    asking.cancel()
    with suppress(asyncio.CancelledError):
        await asking
    assert [one["status"] for one in await list_keys(client, data)] == ["deleting"]
    proxy.drop_prefix = b""
    # At once: ending the process twice does no harm.
    await clean_up(client)
    assert (await list_keys(client, data), await keys_on_gateway(client, data)) == ([], ())


async def test_a_stalled_gateway_times_out_and_the_deletion_is_retried(client: ClusterClient) -> None:
    data = await client.data()
    made = await create_key(client, data)
    with client.customer(made["accessKey"], made["secretKey"]) as customer:
        async with stalled(client):
            for call in (delete_key(client, data, made["accessKey"]), create_status(client, data)):
                started = time.monotonic()
                assert await call == 503
                assert time.monotonic() - started < 5
            assert [one["status"] for one in await list_keys(client, data)] == ["deleting"]
            asked_for = "select count(*) from procrastinate_jobs where task_name = 'access_keys.clean_up'"
            assert await client.cast.row(asked_for) == (1,)
            client.clock.now += timedelta(seconds=61)
            with pytest.raises(Unavailable, match="in time"):
                await clean_up(client)
            # The deletion of the other key was not requested.
            assert await states(client, data) == ["deleting"]
        await clean_up(client)
        assert customer.attempt("list_buckets") == "InvalidAccessKeyId"
    assert (await states(client, data), await keys_on_gateway(client, data)) == ([], ())


async def create_status(client: ClusterClient, data: AccountData) -> int:
    answer = await client.call("POST", keys_path(data), await client.key(data.partner), json={})
    return answer.status_code


async def test_a_deletion_may_be_repeated_after_a_timeout(client: ClusterClient) -> None:
    data = await client.data()
    made = await create_key(client, data)
    async with stalled(client):
        assert await delete_key(client, data, made["accessKey"]) == 503
    assert await delete_key(client, data, made["accessKey"]) == 204
    assert (await states(client, data), await keys_on_gateway(client, data)) == ([], ())


async def test_a_gateway_killed_and_restarted(client: ClusterClient) -> None:
    data = await client.data()
    client.gateway.kill()
    try:
        assert await create_status(client, data) == 503
        assert await states(client, data) == []
    finally:
        client.gateway.start()
    await create_key(client, data)
    await assert_cleaned_up(client, data)
    assert await states(client, data) == ["active"]


async def test_an_expired_pending_key_is_not_activated(client: ClusterClient) -> None:
    """A suspended process: its key was given up in the meantime, and must not become active again."""
    data = await client.data()
    key = "TONNAGESLEPTAWHILE00"
    now = client.clock.now
    await client.database.run(access_key_queries.insert_key, data.account, key, None, now)
    late, young = now + timedelta(minutes=2), "TONNAGEHASJUSTBEGUN0"
    await client.database.run(access_key_queries.insert_key, data.account, young, None, late)
    for again in (late, late + timedelta(minutes=1)):
        given_up = await client.database.run(access_key_queries.expire_pending, client.region_id, now, again)
        assert given_up == [(ClusterUser(data.account), key)]
        entered = "select changed_at from access_key where access_key = %s"
        assert await client.cast.row(entered, key) == (late,), "when it entered its state"
    stamp = client.cast.operator.stamp
    assert await client.database.run(access_key_queries.activate_key, data.account, key, late, stamp) is None
    assert await states(client, data) == ["deleting", "pending"]
    assert await client.database.run(access_key_queries.activate_key, data.account, young, late, stamp) is not None


async def test_a_key_created_after_it_expired_is_deleted_at_once(
    client: ClusterClient, proxy: FaultyProxy, backend: CephBackend
) -> None:
    data = await client.data()
    proxy.delay_prefix = PENDING
    asking = asyncio.create_task(create_status(client, data))
    await proxy.delayed.wait()
    late = client.clock.now + timedelta(minutes=2)
    assert len(await clean_up_keys(client.database, backend, await client.permit_changes(), late)) == 1
    assert await states(client, data) == []
    proxy.resume.set()
    assert await asking == 503
    assert await keys_on_gateway(client, data) == ()


@asynccontextmanager
async def serve(client: ClusterClient) -> AsyncGenerator[int]:
    """The port of a real server for the client's application."""
    server = uvicorn.Server(uvicorn.Config(client.app, port=0, log_level="critical", lifespan="off", ws="none"))
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await task


async def test_the_key_of_a_disconnected_client_is_listed(client: ClusterClient) -> None:
    data = await client.data()
    authorization = {"Authorization": f"Bearer {await client.key(data.partner)}"}
    async with serve(client) as port:
        client.gateway.stall()
        try:
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:
                asking = asyncio.create_task(http.post(keys_path(data), headers=authorization, json={}))
                assert await reached(client, data, "pending")
                asking.cancel()
                with suppress(asyncio.CancelledError):
                    await asking
        finally:
            client.gateway.resume()
        assert await reached(client, data, "active")
    (lost,) = await list_keys(client, data)
    assert await keys_on_gateway(client, data) == (lost["accessKey"],)
    assert await delete_key(client, data, lost["accessKey"]) == 204
    assert (await states(client, data), await keys_on_gateway(client, data)) == ([], ())


async def reached(client: ClusterClient, data: AccountData, state: str) -> bool:
    """Whether the account's only key reaches that state within 20 seconds."""
    for _ in range(1000):
        if await states(client, data) == [state]:
            return True
        await asyncio.sleep(0.02)
    return False


async def test_keys_on_one_side_only_are_drift(client: ClusterClient) -> None:
    data = await client.data()
    backend = await client.backend()
    kept, lost = [(await create_key(client, data))["accessKey"] for _ in range(2)]
    actor = Actor(client.cast.operator.organisation_id, Kind.OPERATOR, Role.ADMIN, "job")
    before = await client.database.run(access_key_queries.keys_of, [data.account])
    await backend.delete_key(ClusterUser(data.account), lost)
    foreign = (await backend.create_key(ClusterUser(data.account), "FOREIGN0000000000001")).access_key
    young = (await create_key(client, data))["accessKey"]
    actual = {data.account: await keys_on_gateway(client, data)}
    assert set(actual[data.account]) == {kept, foreign, young}
    subject = f"of storage account {data.account}"
    expected = [
        Drift(f"access key {lost} {subject}", "is missing on the cluster", "forgotten"),
        Drift(f"access key {foreign} {subject}", "was not created here", "left"),
    ]
    assert await compare_keys(client.database, actor, before, actual, repair=False) == expected
    assert await states(client, data) == ["active"] * 3
    found = await compare_keys(client.database, actor, before, actual, repair=True)
    repaired = [(one.description, one.repaired) for one in found]
    assert repaired == [(one.description, one is expected[0]) for one in expected]
    assert {one["accessKey"] for one in await list_keys(client, data)} == {kept, young}
    assert foreign in await keys_on_gateway(client, data)
    audited = await client.cast.row(
        "select before->>'accessKey', subject_id, actor_kind from audit_entry where action = 'account.mark-key-lost'"
    )
    assert audited == (lost, str(data.account), "job")
    assert await compare_keys(client.database, actor, before, actual, repair=True) == [found[1]]

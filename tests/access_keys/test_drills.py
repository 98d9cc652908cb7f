"""Access keys while the gateway stalls, answers get lost and callers go away: no key is left that nobody knows of."""

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
from tests.access_keys.keys import drop, keys_path, listed, make
from tests.access_keys.lossy import LossyWay, lossy_way
from tests.api.conftest import AccountData
from tests.clustered import REGION, ClusterClient
from tests.storage.conftest import HASTE
from tonnage.access.actor import Actor, Kind, Role
from tonnage.access_keys import jobs as access_key_jobs
from tonnage.access_keys import queries as access_key_queries
from tonnage.access_keys.actions import clean_up_keys
from tonnage.errors import Unavailable
from tonnage.provisioning.drift import Drift
from tonnage.provisioning.key_drift_actions import compare_keys
from tonnage.regions import actions as regions
from tonnage.regions.backends import OpenBackends
from tonnage.regions.region import Gateway as Reached
from tonnage.storage.backend import AccessKey
from tonnage.storage.ceph import CephBackend

pytestmark = [pytest.mark.anyio, pytest.mark.ceph]

PENDING, DELETING = b"PUT /admin/user?key=", b"DELETE /admin/user?key="


@pytest.fixture
def client(client: ClusterClient) -> ClusterClient:
    return client


@asynccontextmanager
async def stalled(client: ClusterClient) -> AsyncGenerator[None]:
    """The gateway does not answer, and is not waited for long."""
    patient = client.services
    client.gateway.stall()
    try:
        hasty = OpenBackends(client.database, client.key_file, HASTE)
        client.app.state.services = replace(patient, backends=hasty)
        yield
        await hasty.close()
    finally:
        client.app.state.services = patient
        client.gateway.go_on()


@pytest.fixture
async def way(client: ClusterClient) -> AsyncGenerator[LossyWay]:
    """The address of the region's gateway."""
    async with lossy_way(client.gateway) as lossy:
        reached = Reached(lossy.address, client.gateway.access_key, client.gateway.secret_key)
        await client.database.transaction(
            regions.connect_region, client.cast.operator, REGION, reached, client.clock(), client.key_file
        )
        await client.looked_at()
        yield lossy


@pytest.fixture
async def backend(gateway: Gateway) -> AsyncGenerator[CephBackend]:
    """The gateway itself, by another way."""
    opened = CephBackend(gateway.address, AccessKey(gateway.access_key, gateway.secret_key))
    yield opened
    await opened.close()


async def states(client: ClusterClient, data: AccountData) -> list[str]:
    found = await client.database.run(access_key_queries.keys_of, [data.account])
    return sorted(found.get(data.account, {}).values())


async def on_gateway(client: ClusterClient, data: AccountData) -> tuple[str, ...]:
    return await (await client.backend()).keys(data.account)


async def settle(client: ClusterClient) -> None:
    """What the minute's job asks for, and nothing else."""
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


async def settled(client: ClusterClient, data: AccountData) -> None:
    """Nothing is touched while somebody may be at it; a minute later everything is over."""
    before = await states(client, data)
    client.clock.now += timedelta(seconds=59)
    await settle(client)
    assert await clean_up_keys(client.database, await client.backend(), client.region_id, client.clock.now) == []
    assert await states(client, data) == before
    client.clock.now += timedelta(seconds=1)
    await settle(client)
    left = await states(client, data)
    assert (set(left) <= {"active"}, len(await on_gateway(client, data))) == (True, len(left))


async def test_killed_between_the_call_and_its_answer(client: ClusterClient, way: LossyWay) -> None:
    data = await client.data()
    way.loses, way.hangs = PENDING, True
    asking = asyncio.create_task(make(client, data))
    await way.lost.wait()
    asking.cancel()
    with suppress(asyncio.CancelledError):
        await asking
    assert (await states(client, data), len(await on_gateway(client, data))) == (["pending"], 1)
    assert await listed(client, data) == []
    await settled(client, data)
    assert (await states(client, data), await on_gateway(client, data)) == ([], ())
    assert await client.cast.row("select count(*) from audit_entry where action like 'account.%%key'") == (0,)


async def test_after_an_answer_that_got_lost_another_key_is_made(client: ClusterClient, way: LossyWay) -> None:
    data = await client.data()
    way.loses = PENDING
    answer = await client.call("POST", keys_path(data), await client.key(data.partner), json={})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    way.loses = b""
    made = await make(client, data)
    assert await states(client, data) == ["active", "pending"]
    assert len(await on_gateway(client, data)) == 2
    await settled(client, data)
    assert await on_gateway(client, data) == (made["accessKey"],)
    with client.customer(made["accessKey"], made["secretKey"]) as customer:
        assert customer.tries("list_buckets") == "done"


async def test_killed_while_a_key_is_deleted(client: ClusterClient, way: LossyWay) -> None:
    data = await client.data()
    made = await make(client, data)
    way.loses, way.hangs = DELETING, True
    asking = asyncio.create_task(drop(client, data, made["accessKey"]))
    await way.lost.wait()
    asking.cancel()
    with suppress(asyncio.CancelledError):
        await asking
    assert [one["status"] for one in await listed(client, data)] == ["deleting"]
    way.loses = b""
    # At once: nothing is lost by ending it twice.
    await settle(client)
    assert (await listed(client, data), await on_gateway(client, data)) == ([], ())


async def test_a_stalled_gateway_is_waited_for_so_long_and_told_later(client: ClusterClient) -> None:
    data = await client.data()
    made = await make(client, data)
    with client.customer(made["accessKey"], made["secretKey"]) as customer:
        async with stalled(client):
            for call in (drop(client, data, made["accessKey"]), asked(client, data)):
                started = time.monotonic()
                assert await call == 503
                assert time.monotonic() - started < 5
            assert [one["status"] for one in await listed(client, data)] == ["deleting"]
            asked_for = "select count(*) from procrastinate_jobs where task_name = 'access_keys.clean_up'"
            assert await client.cast.row(asked_for) == (1,)
            client.clock.now += timedelta(seconds=61)
            with pytest.raises(Unavailable, match="in time"):
                await settle(client)
            # The other one was not asked for.
            assert await states(client, data) == ["deleting"]
        await settle(client)
        assert customer.tries("list_buckets") == "InvalidAccessKeyId"
    assert (await states(client, data), await on_gateway(client, data)) == ([], ())


async def asked(client: ClusterClient, data: AccountData) -> int:
    answer = await client.call("POST", keys_path(data), await client.key(data.partner), json={})
    return answer.status_code


async def test_who_was_refused_for_time_may_ask_again(client: ClusterClient) -> None:
    data = await client.data()
    made = await make(client, data)
    async with stalled(client):
        assert await drop(client, data, made["accessKey"]) == 503
    assert await drop(client, data, made["accessKey"]) == 204
    assert (await states(client, data), await on_gateway(client, data)) == ([], ())


async def test_a_killed_gateway_and_back(client: ClusterClient) -> None:
    data = await client.data()
    client.gateway.kill()
    try:
        assert await asked(client, data) == 503
        assert await states(client, data) == []
    finally:
        client.gateway.start()
    await make(client, data)
    await settled(client, data)
    assert await states(client, data) == ["active"]


async def test_who_comes_too_late_with_a_secret_finds_it_given_up(client: ClusterClient) -> None:
    """A process that slept: its key was given up in the meantime, and must not come to life again."""
    data = await client.data()
    key = "TONNAGESLEPTAWHILE00"
    now = client.clock.now
    await client.database.run(access_key_queries.insert_key, data.account, key, None, now)
    late, young = now + timedelta(minutes=2), "TONNAGEHASJUSTBEGUN0"
    await client.database.run(access_key_queries.insert_key, data.account, young, None, late)
    for again in (late, late + timedelta(minutes=1)):
        given_up = await client.database.run(access_key_queries.expire_pending, client.region_id, now, again)
        assert given_up == [(data.account, key)]
        entered = "select changed_at from access_key where access_key = %s"
        assert await client.cast.row(entered, key) == (late,), "when it entered its state"
    stamp = client.cast.operator.stamp
    assert await client.database.run(access_key_queries.activate_key, key, late, stamp) is None
    assert await states(client, data) == ["deleting", "pending"]
    assert await client.database.run(access_key_queries.activate_key, young, late, stamp) is not None


async def test_a_key_that_is_made_after_it_was_given_up_is_deleted_at_once(
    client: ClusterClient, way: LossyWay, backend: CephBackend
) -> None:
    data = await client.data()
    way.delays = PENDING
    asking = asyncio.create_task(asked(client, data))
    await way.delayed.wait()
    late = client.clock.now + timedelta(minutes=2)
    assert len(await clean_up_keys(client.database, backend, client.region_id, late)) == 1
    assert await states(client, data) == []
    way.goes_on.set()
    assert await asking == 503
    assert await on_gateway(client, data) == ()


@asynccontextmanager
async def served(client: ClusterClient) -> AsyncGenerator[int]:
    """The port on which a real server serves the client's application."""
    server = uvicorn.Server(uvicorn.Config(client.app, port=0, log_level="critical", lifespan="off", ws="none"))
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await task


async def test_a_client_that_hangs_up_finds_its_key_in_the_list(client: ClusterClient) -> None:
    data = await client.data()
    authorization = {"Authorization": f"Bearer {await client.key(data.partner)}"}
    async with served(client) as port:
        client.gateway.stall()
        try:
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:
                asking = asyncio.create_task(http.post(keys_path(data), headers=authorization, json={}))
                assert await reached(client, data, "pending")
                asking.cancel()
                with suppress(asyncio.CancelledError):
                    await asking
        finally:
            client.gateway.go_on()
        assert await reached(client, data, "active")
    (lost,) = await listed(client, data)
    assert await on_gateway(client, data) == (lost["accessKey"],)
    assert await drop(client, data, lost["accessKey"]) == 204
    assert (await states(client, data), await on_gateway(client, data)) == ([], ())


async def reached(client: ClusterClient, data: AccountData, state: str) -> bool:
    """Whether the account's one key gets into that state, within 20 seconds."""
    for _ in range(1000):
        if await states(client, data) == [state]:
            return True
        await asyncio.sleep(0.02)
    return False


async def test_the_sweep_finds_keys_on_one_side_only(client: ClusterClient) -> None:
    data = await client.data()
    backend = await client.backend()
    kept, lost = [(await make(client, data))["accessKey"] for _ in range(2)]
    actor = Actor(client.cast.operator.organisation_id, Kind.OPERATOR, Role.ADMIN, "job")
    before = await client.database.run(access_key_queries.keys_of, [data.account])
    await backend.delete_key(data.account, lost)
    foreign = (await backend.create_key(data.account, "FOREIGN0000000000001")).access_key
    young = (await make(client, data))["accessKey"]
    actual = {data.account: await on_gateway(client, data)}
    assert set(actual[data.account]) == {kept, foreign, young}
    subject = f"of storage account {data.account}"
    expected = [
        Drift(f"access key {lost} {subject}", "is not on the cluster", "forgotten"),
        Drift(f"access key {foreign} {subject}", "is on the cluster, and unknown here", "left"),
    ]
    assert await compare_keys(client.database, actor, before, actual, repair=False) == expected
    assert await states(client, data) == ["active"] * 3
    found = await compare_keys(client.database, actor, before, actual, repair=True)
    assert [(one.description, one.repaired) for one in found] == [
        (one.description, one is expected[0]) for one in expected
    ]
    assert {one["accessKey"] for one in await listed(client, data)} == {kept, young}
    assert foreign in await on_gateway(client, data)
    audited = await client.cast.row(
        "select before->>'accessKey', subject_id, actor_kind from audit_entry where action = 'account.lose-key'"
    )
    assert audited == (lost, str(data.account), "job")
    assert await compare_keys(client.database, actor, before, actual, repair=True) == [found[1]]

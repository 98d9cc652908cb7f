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
from tests.api.conftest import Business
from tests.clustered import REGION, ClusterHouse
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
def house(cluster_house: ClusterHouse) -> ClusterHouse:
    return cluster_house


@asynccontextmanager
async def stalled(house: ClusterHouse) -> AsyncGenerator[None]:
    """The gateway does not answer, and is not waited for long."""
    patient = house.services
    house.gateway.stall()
    try:
        hasty = OpenBackends(house.database, house.key_file, HASTE)
        house.app.state.services = replace(patient, backends=hasty)
        yield
        await hasty.close()
    finally:
        house.app.state.services = patient
        house.gateway.go_on()


@pytest.fixture
async def way(house: ClusterHouse) -> AsyncGenerator[LossyWay]:
    """What the house's region is reached by."""
    async with lossy_way(house.gateway) as lossy:
        reached = Reached(lossy.address, house.gateway.access_key, house.gateway.secret_key)
        await house.database.transaction(
            regions.connect_region, house.cast.operator, REGION, reached, house.clock(), house.key_file
        )
        await house.looked_at()
        yield lossy


@pytest.fixture
async def backend(gateway: Gateway) -> AsyncGenerator[CephBackend]:
    """The gateway itself, by another way."""
    opened = CephBackend(gateway.address, AccessKey(gateway.access_key, gateway.secret_key))
    yield opened
    await opened.close()


async def states(house: ClusterHouse, business: Business) -> list[str]:
    found = await house.database.run(access_key_queries.keys_of, [business.account])
    return sorted(found.get(business.account, {}).values())


async def on_gateway(house: ClusterHouse, business: Business) -> tuple[str, ...]:
    return await (await house.backend()).keys(business.account)


async def settle(house: ClusterHouse) -> None:
    """What the minute's job asks for, and nothing else."""
    await access_key_jobs.clean_up_all(house.services, "")
    (asked_for,) = await house.cast.row(
        """
        with taken as (
            delete from procrastinate_jobs where task_name = 'access_keys.clean_up' and status = 'todo' returning args
        )
        select coalesce(array_agg(args->>'subject'), '{}') from taken
        """
    )
    for region_id in asked_for:
        await access_key_jobs.clean_up(house.services, region_id)


async def settled(house: ClusterHouse, business: Business) -> None:
    """Nothing is touched while somebody may be at it; a minute later everything is over."""
    before = await states(house, business)
    house.clock.now += timedelta(seconds=59)
    await settle(house)
    assert await clean_up_keys(house.database, await house.backend(), house.region_id, house.clock.now) == []
    assert await states(house, business) == before
    house.clock.now += timedelta(seconds=1)
    await settle(house)
    left = await states(house, business)
    assert (set(left) <= {"active"}, len(await on_gateway(house, business))) == (True, len(left))


async def test_killed_between_the_call_and_its_answer(house: ClusterHouse, way: LossyWay) -> None:
    business = await house.business()
    way.loses, way.hangs = PENDING, True
    asking = asyncio.create_task(make(house, business))
    await way.lost.wait()
    asking.cancel()
    with suppress(asyncio.CancelledError):
        await asking
    assert (await states(house, business), len(await on_gateway(house, business))) == (["pending"], 1)
    assert await listed(house, business) == []
    await settled(house, business)
    assert (await states(house, business), await on_gateway(house, business)) == ([], ())
    assert await house.cast.row("select count(*) from audit_entry where action like 'account.%%key'") == (0,)


async def test_after_an_answer_that_got_lost_another_key_is_made(house: ClusterHouse, way: LossyWay) -> None:
    business = await house.business()
    way.loses = PENDING
    answer = await house.call("POST", keys_path(business), await house.key(business.partner), json={})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    way.loses = b""
    made = await make(house, business)
    assert await states(house, business) == ["active", "pending"]
    assert len(await on_gateway(house, business)) == 2
    await settled(house, business)
    assert await on_gateway(house, business) == (made["accessKey"],)
    with house.customer(made["accessKey"], made["secretKey"]) as customer:
        assert customer.tries("list_buckets") == "done"


async def test_killed_while_a_key_is_deleted(house: ClusterHouse, way: LossyWay) -> None:
    business = await house.business()
    made = await make(house, business)
    way.loses, way.hangs = DELETING, True
    asking = asyncio.create_task(drop(house, business, made["accessKey"]))
    await way.lost.wait()
    asking.cancel()
    with suppress(asyncio.CancelledError):
        await asking
    assert [one["status"] for one in await listed(house, business)] == ["deleting"]
    way.loses = b""
    # At once: nothing is lost by ending it twice.
    await settle(house)
    assert (await listed(house, business), await on_gateway(house, business)) == ([], ())


async def test_a_stalled_gateway_is_waited_for_so_long_and_told_later(house: ClusterHouse) -> None:
    business = await house.business()
    made = await make(house, business)
    with house.customer(made["accessKey"], made["secretKey"]) as customer:
        async with stalled(house):
            for call in (drop(house, business, made["accessKey"]), asked(house, business)):
                started = time.monotonic()
                assert await call == 503
                assert time.monotonic() - started < 5
            assert [one["status"] for one in await listed(house, business)] == ["deleting"]
            asked_for = "select count(*) from procrastinate_jobs where task_name = 'access_keys.clean_up'"
            assert await house.cast.row(asked_for) == (1,)
            house.clock.now += timedelta(seconds=61)
            with pytest.raises(Unavailable, match="in time"):
                await settle(house)
            # The other one was not asked for.
            assert await states(house, business) == ["deleting"]
        await settle(house)
        assert customer.tries("list_buckets") == "InvalidAccessKeyId"
    assert (await states(house, business), await on_gateway(house, business)) == ([], ())


async def asked(house: ClusterHouse, business: Business) -> int:
    answer = await house.call("POST", keys_path(business), await house.key(business.partner), json={})
    return answer.status_code


async def test_who_was_refused_for_time_may_ask_again(house: ClusterHouse) -> None:
    business = await house.business()
    made = await make(house, business)
    async with stalled(house):
        assert await drop(house, business, made["accessKey"]) == 503
    assert await drop(house, business, made["accessKey"]) == 204
    assert (await states(house, business), await on_gateway(house, business)) == ([], ())


async def test_a_killed_gateway_and_back(house: ClusterHouse) -> None:
    business = await house.business()
    house.gateway.kill()
    try:
        assert await asked(house, business) == 503
        assert await states(house, business) == []
    finally:
        house.gateway.start()
    await make(house, business)
    await settled(house, business)
    assert await states(house, business) == ["active"]


async def test_who_comes_too_late_with_a_secret_finds_it_given_up(house: ClusterHouse) -> None:
    """A process that slept: its key was given up in the meantime, and must not come to life again."""
    business = await house.business()
    key = "TONNAGESLEPTAWHILE00"
    now = house.clock.now
    await house.database.run(access_key_queries.insert_key, business.account, key, None, now)
    late, young = now + timedelta(minutes=2), "TONNAGEHASJUSTBEGUN0"
    await house.database.run(access_key_queries.insert_key, business.account, young, None, late)
    given_up = await house.database.run(access_key_queries.expire_pending, house.region_id, now)
    assert given_up == [(business.account, key)]
    stamp = house.cast.operator.stamp
    assert await house.database.run(access_key_queries.activate_key, key, late, stamp) is None
    assert await states(house, business) == ["deleting", "pending"]
    assert await house.database.run(access_key_queries.activate_key, young, late, stamp) is not None


async def test_a_key_that_is_made_after_it_was_given_up_is_deleted_at_once(
    house: ClusterHouse, way: LossyWay, backend: CephBackend
) -> None:
    business = await house.business()
    way.delays = PENDING
    asking = asyncio.create_task(asked(house, business))
    await way.delayed.wait()
    late = house.clock.now + timedelta(minutes=2)
    assert len(await clean_up_keys(house.database, backend, house.region_id, late)) == 1
    assert await states(house, business) == []
    way.goes_on.set()
    assert await asking == 503
    assert await on_gateway(house, business) == ()


@asynccontextmanager
async def served(house: ClusterHouse) -> AsyncGenerator[int]:
    """The port of the house on a real server."""
    server = uvicorn.Server(uvicorn.Config(house.app, port=0, log_level="critical", lifespan="off", ws="none"))
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await task


async def test_a_client_that_hangs_up_finds_its_key_in_the_list(house: ClusterHouse) -> None:
    business = await house.business()
    authorization = {"Authorization": f"Bearer {await house.key(business.partner)}"}
    async with served(house) as port:
        house.gateway.stall()
        try:
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:
                asking = asyncio.create_task(http.post(keys_path(business), headers=authorization, json={}))
                assert await reached(house, business, "pending")
                asking.cancel()
                with suppress(asyncio.CancelledError):
                    await asking
        finally:
            house.gateway.go_on()
        assert await reached(house, business, "active")
    (lost,) = await listed(house, business)
    assert await on_gateway(house, business) == (lost["accessKey"],)
    assert await drop(house, business, lost["accessKey"]) == 204
    assert (await states(house, business), await on_gateway(house, business)) == ([], ())


async def reached(house: ClusterHouse, business: Business, state: str) -> bool:
    """Whether the account's one key gets into that state, within 20 seconds."""
    for _ in range(1000):
        if await states(house, business) == [state]:
            return True
        await asyncio.sleep(0.02)
    return False


async def test_the_sweep_finds_keys_on_one_side_only(house: ClusterHouse) -> None:
    business = await house.business()
    backend = await house.backend()
    kept, lost = [(await make(house, business))["accessKey"] for _ in range(2)]
    actor = Actor(house.cast.operator.organisation_id, Kind.OPERATOR, Role.ADMIN, "job")
    before = await house.database.run(access_key_queries.keys_of, [business.account])
    await backend.delete_key(business.account, lost)
    foreign = (await backend.create_key(business.account, "FOREIGN0000000000001")).access_key
    young = (await make(house, business))["accessKey"]
    actual = {business.account: await on_gateway(house, business)}
    assert set(actual[business.account]) == {kept, foreign, young}
    subject = f"of storage account {business.account}"
    expected = [
        Drift(f"access key {lost} {subject}", "is not on the cluster", "forgotten"),
        Drift(f"access key {foreign} {subject}", "is on the cluster, and unknown here", "left"),
    ]
    assert await compare_keys(house.database, actor, before, actual, repair=False) == expected
    assert await states(house, business) == ["active"] * 3
    found = await compare_keys(house.database, actor, before, actual, repair=True)
    assert [(one.what, one.repaired) for one in found] == [(one.what, one is expected[0]) for one in expected]
    assert {one["accessKey"] for one in await listed(house, business)} == {kept, young}
    assert foreign in await on_gateway(house, business)
    audited = await house.cast.row(
        "select before->>'accessKey', subject_id, actor_kind from audit_entry where action = 'account.lose-key'"
    )
    assert audited == (lost, str(business.account), "job")
    assert await compare_keys(house.database, actor, before, actual, repair=True) == [found[1]]

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
from tests.api.conftest import Business
from tests.cast import TB
from tests.clustered import ClusterHouse
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
def house(cluster_house: ClusterHouse) -> ClusterHouse:
    return cluster_house


async def told(house: ClusterHouse, business: Business, account: int | None = None) -> tuple[int, str]:
    """What whoever asks for a key is told instead."""
    path = keys_path(business, account)
    answer = await house.call("POST", path, await house.key(business.partner), json={})
    assert ("retry-after" in answer.headers) == (answer.status_code == 503)
    return answer.status_code, answer.json()["detail"]


async def rows(house: ClusterHouse) -> int:
    (count,) = await house.cast.row("select count(*) from access_key")
    return count


@asynccontextmanager
async def with_planes(house: ClusterHouse, key_file: Path | None) -> AsyncGenerator[None]:
    """The house does not wait long for its gateway, whose credentials are opened with `key_file`."""
    before = house.services
    other = OpenBackends(house.database, key_file, HASTE)
    house.app.state.services = replace(before, backends=other)
    try:
        yield
    finally:
        house.app.state.services = before
        await other.close()


@pytest.mark.parametrize("stalled", [False, True], ids=["gone", "stalled"])
async def test_who_keeps_asking_during_an_outage_gets_a_key_right_after_it(house: ClusterHouse, stalled: bool) -> None:
    business = await house.business()
    gateway = house.gateway
    async with with_planes(house, house.key_file):
        (gateway.stall if stalled else gateway.kill)()
        try:
            for _ in range(MAX_ACCESS_KEYS + 2 if not stalled else 3):
                status, sentence = await told(house, business)
                assert (status, "again" in sentence) == (503, True)
                assert await rows(house) == 0
        finally:
            (gateway.go_on if stalled else gateway.start)()
    await make(house, business)


async def test_ten_of_which_some_are_going_are_waited_for(house: ClusterHouse) -> None:
    business = await house.business()
    for _ in range(MAX_ACCESS_KEYS - 1):
        await house.database.run(
            access_key_queries.insert_key, business.account, new_access_key(), None, house.clock.now
        )
    made = await make(house, business)
    status, sentence = await told(house, business)
    assert (status, "9 of them just being made or deleted" in sentence) == (503, True)
    assert await drop(house, business, made["accessKey"]) == 204


async def test_what_the_operator_has_to_mend_is_told_to_nobody_else(
    house: ClusterHouse, caplog: pytest.LogCaptureFixture
) -> None:
    business = await house.business()
    made = await make(house, business)
    caplog.set_level(logging.WARNING, logger="tonnage")
    key = await house.key(business.partner)
    async with with_planes(house, None):
        answers = await changed(house, keys_path(business), made["accessKey"], key)
    neutral = "The storage cluster of this region cannot be used now; the operator has to look at it."
    assert answers == [(503, neutral)] * 2
    logged = [record.getMessage() for record in caplog.records if "TONNAGE_SECRET_KEY_FILE" in record.getMessage()]
    assert len(logged) == 2
    assert all(str(business.account) in message for message in logged)
    # The one that was to be made is no more, and the one that was to go will.
    assert [one["status"] for one in await listed(house, business)] == ["deleting"]
    assert await rows(house) == 1
    asked_for = "select count(*) from procrastinate_jobs where task_name = 'access_keys.clean_up'"
    assert await house.cast.row(asked_for) == (1,)


async def test_an_account_that_is_locked_for_long_is_not_waited_for(house: ClusterHouse) -> None:
    business = await house.business()
    made = await make(house, business)
    key = await house.key(business.partner)
    async with house.database.pool.connection() as conn, conn.transaction():
        await conn.execute("select from storage_account where id = %s for update", [business.account])
        started = time.monotonic()
        answers = await asyncio.gather(
            told(house, business), house.call("DELETE", f"{keys_path(business)}/{made['accessKey']}", key)
        )
        assert time.monotonic() - started < 10
    sentence = "The account is busy with something long, such as an import of its usage; try again in a minute."
    assert answers[0] == (503, sentence)
    assert (answers[1].status_code, answers[1].json()["detail"]) == (503, sentence)
    assert [one["status"] for one in await listed(house, business)] == ["active"]
    assert await rows(house) == 1


async def test_waiting_for_the_database_counts(house: ClusterHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    business = await house.business()
    made = await make(house, business)
    monkeypatch.setattr(access_key_actions, "_DEADLINE", 0.3)
    services, partner = house.services, business.partner
    owner = partner.organisation_id
    calls: list[Callable[[], Awaitable[object]]] = [
        lambda: access_key_actions.create_key(services, partner, owner, business.account, None),
        lambda: access_key_actions.delete_key(services, partner, owner, business.account, made["accessKey"]),
    ]
    async with AsyncExitStack() as stack:
        for _ in range(house.database.pool.max_size):
            await stack.enter_async_context(house.database.pool.connection())
        for call in calls:
            started = time.monotonic()
            with pytest.raises(Unavailable, match="in time"):
                await call()
            assert time.monotonic() - started < 3
    assert [one["status"] for one in await listed(house, business)] == ["active"]


async def test_an_account_that_its_cluster_refuses(house: ClusterHouse) -> None:
    business = await house.business()
    refused = await house.cast.account(business.partner, TB)
    (address,) = await house.cast.row("select contact_email from storage_account where id = %s", refused)
    name = f"somebody-{time.monotonic_ns()}"
    house.gateway.admin("user", "create", "--uid", name, "--display-name", name, "--email", address)
    assert await told(house, business, refused) == (
        503,
        "The account is not on the storage cluster yet; try again in a moment.",
    )
    await reconcile(house.database, await house.backend(), house.region_id)
    status, sentence = await told(house, business, refused)
    assert (status, "another user of the cluster has this e-mail address" in sentence) == (409, True)
    assert await rows(house) == 0


async def test_an_account_of_which_only_a_change_is_refused_has_keys(house: ClusterHouse) -> None:
    business = await house.business()
    await house.database.run(
        provisioning_queries.record_refusal, business.account, 1, "The storage cluster refuses it."
    )
    await make(house, business)


async def test_keys_that_were_not_made_here_take_the_room(house: ClusterHouse) -> None:
    business = await house.business()
    ours = [(await make(house, business))["accessKey"] for _ in range(7)]
    backend = await house.backend()
    for _ in range(3):
        await backend.create_key(business.account, new_access_key())
    assert await told(house, business) == (
        409,
        "The account has 10 access keys on its cluster, the most there can be, and 3 of them were not made here; "
        "the operator has to remove those.",
    )
    assert await rows(house) == len(ours)

"""The jobs that a change of an account defers, in the transaction of the change."""

import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.cast import NOW, TB, Cast
from tonnage.access.actor import Actor
from tonnage.accounts import actions, change_actions, extended_queries
from tonnage.accounts.account import AccountChange
from tonnage.accounts.checks import ALL
from tonnage.clock import BusinessClock
from tonnage.db import Connection, connect
from tonnage.epoch.epoch import Permit
from tonnage.errors import Conflict, NotFound
from tonnage.provisioning.purge_actions import purge_due
from tonnage.regions.actions import add_region
from tonnage.regions.queries import clusters
from tonnage.regions.region import Gateway, NewRegion
from tonnage.sealing import create_key_file
from tonnage.storage.metered import MeteredBackend

pytestmark = pytest.mark.anyio

METERED, ON_CLUSTER = "metered-1", "cluster-1"
DUE = NOW + timedelta(days=30)

BOUNDED, PAY_PER_USE, OVERDRAFT = "bounded", "pay-per-use", "overdraft"


@dataclass
class PoolData:
    """Two regions, the metered one being the default, and one partner. No jobs run, and no cluster answers."""

    cast: Cast
    region: int
    partner: Actor
    bounded: bool

    async def jobs(self) -> list[str]:
        """The jobs that were deferred since the last call."""

        async def take(conn: Connection) -> list[str]:
            query = "with gone as (delete from procrastinate_jobs returning *) select lock from gone order by id"
            return [lock for (lock,) in await (await conn.execute(query)).fetchall()]

        return await self.cast.database.run(take)

    async def run(self, work: Callable[[Connection], Awaitable[Any]]) -> Any:
        return await self.cast.database.run(work)  # pyright: ignore[reportArgumentType]  a coroutine

    async def account(self, region: str = ON_CLUSTER, allocated: int = TB) -> int:
        made = await self.cast.account(self.partner, allocated, region=region)
        await self.jobs()
        return made

    @property
    def reconcile(self) -> str:
        return f"provisioning.reconcile/{self.region}"

    @property
    def requota(self) -> str:
        return f"provisioning.requota/{self.partner.organisation_id}"

    def change(self, account: int, **change: Any) -> Callable[[Connection], Awaitable[Any]]:
        account_change = AccountChange(**change)
        return lambda conn: change_actions.change_account(
            conn, self.partner, self.partner.organisation_id, account, account_change, NOW
        )

    def suspend(self, account: int, reason: str = "Unpaid") -> Callable[[Connection], Awaitable[Any]]:
        partner = self.partner
        return lambda conn: change_actions.suspend_account(conn, partner, partner.organisation_id, account, reason, NOW)

    def resume(self, account: int) -> Callable[[Connection], Awaitable[Any]]:
        partner = self.partner
        return lambda conn: change_actions.resume_account(conn, partner, partner.organisation_id, account)

    def delete(self, account: int) -> Callable[[Connection], Awaitable[Any]]:
        partner = self.partner
        return lambda conn: actions.delete_account(conn, partner, partner.organisation_id, account, 30, NOW)

    def due(self, account: int, days: int | None) -> Callable[[Connection], Awaitable[Any]]:
        due = None if days is None else NOW + timedelta(days=days)
        partner = self.partner
        return lambda conn: actions.set_deletion(conn, partner, partner.organisation_id, account, due, 30, NOW)

    async def revisions(self, account: int) -> tuple[int, int]:
        return await self.cast.row(  # pyright: ignore[reportReturnType]
            "select desired_revision, applied_revision from storage_account where id = %s", account
        )


@pytest.fixture
async def two_regions(
    new_database: Callable[[], AbstractContextManager[str]], tmp_path: Path
) -> AsyncGenerator[tuple[Cast, int]]:
    key_file = tmp_path / "keys"
    create_key_file(key_file)
    with new_database() as conninfo:
        async with connect(conninfo, size=3, streams=1) as database:
            cast = await Cast.of(database)
            await cast.region(METERED)
            here = NewRegion(ON_CLUSTER, *["https://s3.example.org"] * 3)
            gateway = Gateway("http://127.0.0.1:1", "ACCESS", "secret")
            await database.transaction(add_region, cast.operator, here, NOW, gateway=gateway, key_file=key_file)
            (made,) = await database.run(clusters)
            yield cast, made.region_id


@pytest.fixture(params=[BOUNDED])
async def data(two_regions: tuple[Cast, int], request: pytest.FixtureRequest) -> PoolData:
    cast, region = two_regions
    distributor = await cast.distributor()
    allocated = 0 if request.param == PAY_PER_USE else 10 * TB
    partner = await cast.partner(
        distributor, await cast.contract(distributor), allocated, overdraft=request.param == OVERDRAFT
    )
    data = PoolData(cast, region, partner, request.param == BOUNDED)
    await data.jobs()
    return data


every_pool = pytest.mark.parametrize("data", [BOUNDED, PAY_PER_USE, OVERDRAFT], indirect=True)


@every_pool
async def test_a_creation(data: PoolData) -> None:
    account = await data.cast.account(data.partner, TB, region=ON_CLUSTER)
    assert await data.jobs() == [data.reconcile, *[data.requota] * data.bounded]
    assert await data.revisions(account) == (1, 0)


@every_pool
async def test_a_resize_and_an_overdraft(data: PoolData) -> None:
    account = await data.account()
    for revision, change in enumerate(({"allocated_capacity": 2 * TB}, {"allow_overdraft": True}), 2):
        await data.run(data.change(account, **change))
        assert await data.jobs() == [data.reconcile, *[data.requota] * data.bounded]
        await data.run(data.change(account, **change))
        assert await data.jobs() == []
        assert await data.revisions(account) == (revision, 0)


async def test_a_new_name_changes_no_quotas(data: PoolData) -> None:
    account = await data.account()
    await data.run(data.change(account, name="Renamed"))
    assert await data.jobs() == [data.reconcile]
    await data.run(data.change(account, name="Renamed", allocated_capacity=TB, allow_overdraft=False))
    await data.run(data.change(account))
    assert await data.jobs() == []
    assert await data.revisions(account) == (2, 0)


async def test_a_suspension(data: PoolData) -> None:
    account = await data.account()
    for work, jobs in (
        (data.suspend(account), [data.reconcile]),
        (data.suspend(account), []),
        (data.suspend(account, "Still unpaid"), []),
        (data.resume(account), [data.reconcile]),
        (data.resume(account), []),
    ):
        await data.run(work)
        assert await data.jobs() == jobs
    assert await data.revisions(account) == (3, 0)


async def test_a_deletion(data: PoolData) -> None:
    account = await data.account()
    for work, jobs in (
        (data.delete(account), [data.reconcile]),
        (data.delete(account), []),
        (data.due(account, 40), [data.reconcile]),
        (data.due(account, 40), []),
        (data.due(account, None), [data.reconcile]),
        (data.due(account, None), []),
        (data.due(account, 31), [data.reconcile]),
    ):
        await data.run(work)
        assert await data.jobs() == jobs
    assert await data.revisions(account) == (5, 0)


async def test_a_password_concerns_no_cluster(data: PoolData) -> None:
    account = await data.account()
    scope = data.partner.organisation_id

    async def set_password(conn: Connection) -> None:
        await change_actions.set_password(conn, data.partner, scope, account, "another hash")

    await data.run(set_password)
    assert await data.jobs() == []
    assert await data.revisions(account) == (1, 0)


@every_pool
@pytest.mark.parametrize("region", [ON_CLUSTER, METERED])
async def test_a_purge(data: PoolData, region: str) -> None:
    account = await data.account(region)
    await data.run(data.delete(account))
    await data.jobs()
    (lives_in,) = await data.cast.row("select region_id from storage_account where id = %s", account)
    gone = await purge_due(
        data.cast.database,
        MeteredBackend(),
        Permit(lives_in, 0, DUE),
        data.cast.operator,
        BusinessClock(lambda: DUE),
        timedelta(days=30),
    )
    assert gone == 1
    # In any region: its allocation was part of a pool that accounts on clusters share.
    assert sorted(await data.jobs()) == sorted([data.requota] * data.bounded + [f"usage.finish_days/{account}"])


async def test_an_account_in_a_metered_region_defers_no_jobs(data: PoolData) -> None:
    account = await data.cast.account(data.partner, TB)
    assert await data.jobs() == [data.requota], "but it has a part of a pool that accounts on clusters share"
    await data.run(data.change(account, allocated_capacity=2 * TB, allow_overdraft=True))
    assert await data.jobs() == [data.requota]
    for work in (
        data.change(account, name="Renamed"),
        data.suspend(account),
        data.resume(account),
        data.delete(account),
        data.due(account, 40),
        data.due(account, None),
    ):
        await data.run(work)
    assert await data.jobs() == []


async def test_a_rolled_back_change_leaves_no_job(data: PoolData) -> None:
    account = await data.account()
    email = f"rolled-back-{account}@example.org"

    class RollbackError(Exception):
        pass

    def rollback(work: Callable[[Connection], Awaitable[Any]]) -> Callable[[Connection], Awaitable[None]]:
        async def changed_and_rolled_back(conn: Connection) -> None:
            await work(conn)
            raise RollbackError

        return changed_and_rolled_back

    def create(conn: Connection) -> Awaitable[Any]:
        details = actions.NewAccount("Rolled back", email, "hash", TB, allow_overdraft=False, region=ON_CLUSTER)
        return actions.create_account(conn, data.partner, data.partner.organisation_id, details, NOW)

    for work in (
        create,
        data.change(account, allocated_capacity=3 * TB),
        data.suspend(account),
        data.delete(account),
    ):
        with pytest.raises(RollbackError):
            await data.cast.database.transaction(rollback(work))
    assert await data.jobs() == []
    assert await data.revisions(account) == (1, 0)
    assert await data.cast.row("select count(*) from storage_account where contact_email = %s", email) == (0,)


async def test_a_refused_change_leaves_no_job_and_the_transaction_continues(data: PoolData) -> None:
    account = await data.account()

    async def some(conn: Connection) -> None:
        with pytest.raises(Conflict, match="11 TB"):
            await data.change(account, allocated_capacity=11 * TB)(conn)
        with pytest.raises(NotFound):
            await data.suspend(account + 1)(conn)
        await data.suspend(account)(conn)

    await data.cast.database.transaction(some)
    assert await data.jobs() == [data.reconcile]


async def test_the_provisioning_state(data: PoolData) -> None:
    account = await data.account()
    scope = data.partner.organisation_id

    async def state() -> tuple[str, str | None]:
        view = await data.cast.database.run(extended_queries.extended_account, scope, scope, account)
        assert view is not None
        shown = json.loads(view.json)
        assert shown["region"] == ON_CLUSTER
        return shown["provisioning"], shown.get("rejectionReason")

    async def set_revisions(assignments: Any) -> None:
        await data.cast.row(f"update storage_account set {assignments} where id = %s returning 1", account)

    assert await state() == ("pending", None)
    await set_revisions("rejected_revision = desired_revision, rejection_reason = 'The name is taken.'")
    assert await state() == ("rejected", "The name is taken.")
    await data.run(data.change(account, name="Another name"))
    assert await state() == ("pending", None)
    await set_revisions("applied_revision = desired_revision, rejected_revision = null, rejection_reason = null")
    assert await state() == ("done", None)
    await data.run(data.suspend(account))
    assert await state() == ("pending", None)


async def test_afterwards_the_doctor_finds_nothing(data: PoolData) -> None:
    account, other = await data.account(), await data.account(METERED)
    for work in (
        data.change(account, allocated_capacity=5 * TB, name="Renamed"),
        data.change(other, allocated_capacity=0, allow_overdraft=True),
        data.suspend(account),
        data.change(account, allow_overdraft=True),
    ):
        await data.run(work)
    checks = [await data.cast.database.transaction(check) for check in ALL]
    assert [check.differences for check in checks] == [()] * len(ALL)
    assert all(check.compared for check in checks)

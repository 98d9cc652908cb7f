"""Concurrent imports, deletions and moves: totals are exact afterwards, and there is no deadlock."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from typing import TypeAlias

import pytest

from tests.cast import Cast
from tests.usage.steps import (
    LATER,
    assert_totals,
    at,
    clock_at,
    finish_purge,
    numbered,
    partner_data,
    purge,
    record,
    rows_of,
)
from tonnage.db import Connection, Database
from tonnage.partners import actions as partners
from tonnage.usage import actions
from tonnage.usage.correction import Correction
from tonnage.usage.sample import RETENTION_DAYS

pytestmark = [pytest.mark.anyio, pytest.mark.oldest_postgresql]

START = at("2026-01-06")

Write: TypeAlias = Callable[[Connection], Awaitable[None]]


async def import_some(database: Database, accounts: list[int], seed: int) -> None:
    rng = random.Random(seed)
    samples = [
        (account, START + timedelta(hours=rng.randint(0, 24 * 40)), rng.randint(0, 10**12))
        for account in rng.sample(accounts, len(accounts) // 2)
        for _ in range(3)
    ]
    unique = {(account, moment): size for account, moment, size in samples}
    rows = numbered((account, moment, size) for (account, moment), size in unique.items())
    await database.transaction(actions.record_samples, rows, LATER)


async def deadlocks(cast: Cast) -> int:
    await cast.row("select pg_stat_clear_snapshot()")
    return (await cast.row("select deadlocks from pg_stat_database where datname = current_database()"))[0]


async def test_two_imports_of_the_same_accounts_at_once(cast: Cast, database: Database) -> None:
    data = await partner_data(cast)
    other = await cast.contract(data.distributor)
    owners = [data.partner, await cast.partner(data.distributor, other)]
    accounts = [await cast.account(owner) for owner in owners * 10]
    before = await deadlocks(cast)
    for seed in range(0, 40, 4):
        await asyncio.gather(*[import_some(database, accounts, seed + n) for n in range(4)])
    await assert_totals(cast, data.contract)
    await assert_totals(cast, other)
    for account in accounts:
        days = [row[0] for row in await rows_of(cast, account)]
        assert days == [days[0] + timedelta(days=n) for n in range(len(days))]
    assert await deadlocks(cast) == before


async def test_imports_while_accounts_go_and_a_partner_moves(cast: Cast, database: Database) -> None:
    data = await partner_data(cast)
    other = await cast.contract(data.distributor)
    accounts = [await cast.account(data.partner) for _ in range(20)]
    await record(cast, *[(account, START, 10**9) for account in accounts])

    async def move() -> None:
        for target in (other, data.contract) * 10:
            await database.run(partners.move_partner, data.distributor, data.partner.organisation_id, target, LATER)

    async def go() -> None:
        for account in accounts[::2]:
            await purge(cast, data.partner, account, LATER)

    await asyncio.gather(move(), go(), *[import_some(database, accounts, seed) for seed in range(20)])
    await assert_totals(cast, data.contract)
    await assert_totals(cast, other)
    assert await cast.row("select used from contract where id = %s", other) == (0,)


async def test_two_imports_that_need_the_same_old_months(cast: Cast, database: Database) -> None:
    data = await partner_data(cast)
    cast.now = at("2011-01-01")
    accounts = [await cast.account(data.partner) for _ in range(4)]

    async def old(account: int, day: str) -> None:
        rows = numbered([(account, at(day), 5), (accounts[0], at(day), 5)])
        await database.transaction(actions.record_samples, rows, LATER)

    await asyncio.gather(*[old(account, day) for account in accounts for day in ("2011-03-01", "2011-12-31")])
    await assert_totals(cast, data.contract)


async def one_after_the_other(database: Database, first: Write, second: Write) -> None:
    """Two transactions: the first one has written everything, and commits when the second one waits for it.

    The partitions of their days exist, since transactions that create some wait for each other for that alone.
    """

    async def later(conn: Connection) -> None:
        # Not the deadline of a request, which a busy machine may exceed.
        await conn.execute("set local lock_timeout = '60s'")
        await second(conn)

    async with database.pool.connection() as conn, conn.transaction():
        await first(conn)
        task = asyncio.create_task(database.transaction(later))
        async with asyncio.timeout(60):
            while not task.done() and not await database.run(waits_for, conn.info.backend_pid):
                pass
    await task


async def waits_for(conn: Connection, holder: int) -> bool:
    cursor = await conn.execute("select from pg_stat_activity where %s = any(pg_blocking_pids(pid))", [holder])
    return await cursor.fetchone() is not None


def recording(account: int, *samples: tuple[str, str, int]) -> Write:
    rows = numbered((account, at(day, clock), size) for day, clock, size in samples)

    async def write(conn: Connection) -> None:
        await actions.record_samples(conn, rows, LATER)

    return write


async def test_an_import_sees_what_another_one_for_the_same_day_has_recorded(cast: Cast) -> None:
    data = await partner_data(cast)
    account, other = [await cast.account(data.partner) for _ in range(2)]
    await record(cast, (other, START, 7))
    morning, noon = ("2026-01-06", "00:00:00", 100), ("2026-01-06", "12:00:00", 300)
    await one_after_the_other(cast.database, recording(account, morning), recording(account, morning, noon))
    assert (await rows_of(cast, account))[-1] == (date(2026, 1, 6), 200, 300, 2)
    await assert_totals(cast, data.contract)


@pytest.mark.parametrize("purge_first", [True, False])
async def test_a_purge_and_an_import_of_the_account_add_up(cast: Cast, purge_first: bool) -> None:
    data = await partner_data(cast)
    account, other = [await cast.account(data.partner) for _ in range(2)]
    await record(cast, (account, START, 10**9), (other, START, 7))

    async def finish(conn: Connection) -> None:
        await finish_purge(conn, cast, data.partner, account, LATER)

    writes = [recording(account, ("2026-01-07", "00:00:00", 5 * 10**9)), finish]
    await one_after_the_other(cast.database, *(reversed(writes) if purge_first else writes))
    assert (await rows_of(cast, account))[-1][2] == 5 * 10**9
    assert await cast.row("select used from contract where id = %s", data.contract) == (7,)
    await assert_totals(cast, data.contract)


@pytest.mark.parametrize("correction_first", [True, False])
async def test_a_corrected_day_stays_so_when_an_import_writes_the_days_up_to_its_own(
    own_database: Cast, correction_first: bool
) -> None:
    cast = own_database
    data = await partner_data(cast)
    account, other = [await cast.account(data.partner) for _ in range(2)]
    now = at("2026-03-10", "15:00:00")
    opened = (now - timedelta(days=RETENTION_DAYS)).date()
    closed = opened - timedelta(days=1)
    await record(cast, (other, at(str(opened)), 7))
    await actions.run_maintenance(cast.database, now, clock_at(now))

    async def correct(conn: Connection) -> None:
        assert await actions.correct_day(conn, cast.operator, account, Correction(closed, 125), now)

    writes = [recording(account, (str(opened), "00:00:00", 300)), correct]
    await one_after_the_other(cast.database, *(reversed(writes) if correction_first else writes))
    assert [row[:2] for row in await rows_of(cast, account)][-2:] == [(closed, 125), (opened, 300)]
    await assert_totals(cast, data.contract)

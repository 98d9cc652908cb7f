"""Imports of files: accepted as a whole, recorded in small parts, for metered regions."""

import asyncio
from datetime import date, datetime

import pytest

from tests.cast import Cast
from tests.unchanged import refused, unchanged
from tests.usage.steps import LATER, assert_totals, at, clock_at, import_lines, partner_data, rows_of
from tonnage.db import Connection
from tonnage.errors import Invalid
from tonnage.usage import actions
from tonnage.usage.retention_queries import first_open_day
from tonnage.usage.sample import RETENTION_DAYS, Sample, SampleFile

pytestmark = [pytest.mark.anyio, pytest.mark.oldest_postgresql]


async def accept(cast: Cast, *lines: str) -> None:
    file = SampleFile([f"{line}\n".encode() for line in lines])
    await cast.database.transaction(actions.accept_samples, cast.operator, file, LATER)


async def pending(cast: Cast, *accounts: int) -> int:
    query = "select count(*) from usage_import_line where account_id = any(%s)"
    return (await cast.row(query, list(accounts)))[0]


async def test_what_was_accepted_before_a_crash_is_recorded_later(cast: Cast) -> None:
    data = await partner_data(cast)
    accounts = sorted([await cast.account(data.partner) for _ in range(3)])
    await accept(cast, *[f"{account},2026-01-06,{account % 1000}" for account in accounts])
    assert await pending(cast, *accounts) == 3
    assert [await rows_of(cast, account) for account in accounts] == [[], [], []]
    await actions.record_accepted(cast.database, LATER, lines=1)
    assert await pending(cast, *accounts) == 0
    assert [(await rows_of(cast, account))[1][1] for account in accounts] == [n % 1000 for n in accounts]
    async with unchanged(cast.database):
        await actions.record_accepted(cast.database, LATER)
    await assert_totals(cast, data.contract)


async def test_a_correction_counts_although_the_file_before_it_was_not_recorded(cast: Cast) -> None:
    data = await partner_data(cast)
    account = await cast.account(data.partner)
    await accept(cast, f"{account},2026-01-06,1", f"{account},2026-01-07,1")
    await import_lines(cast, f"{account},2026-01-06,2")
    await actions.record_accepted(cast.database, LATER)
    assert [row[1] for row in await rows_of(cast, account)] == [0, 2, 1]


async def test_a_waiting_import_locks_nobody_else(cast: Cast) -> None:
    """While one account is locked elsewhere, those before it are recorded, committed and free, those after it free."""
    data = await partner_data(cast)
    accounts = sorted([await cast.account(data.partner) for _ in range(3)])
    await accept(cast, *[f"{account},2026-01-06,{account}" for account in accounts])
    blocked = "select count(*) from pg_stat_activity where %s = any(pg_blocking_pids(pid))"
    free = "select count(*) from (select from account_usage where account_id = any(%s) for update skip locked) a"
    async with cast.database.pool.connection() as conn, conn.transaction():
        await conn.execute("select from account_usage where account_id = %s for update", [accounts[1]])
        recording = asyncio.create_task(actions.record_accepted(cast.database, LATER, lines=1))
        async with asyncio.timeout(30):
            while await cast.row(blocked, conn.info.backend_pid) == (0,):
                assert not recording.done(), await recording
        assert (await rows_of(cast, accounts[0]))[1][1] == accounts[0]
        assert await cast.row(free, accounts) == (2,)
        changed = "select count(*) from (select from storage_account where id = any(%s) for update skip locked) a"
        assert await cast.row(changed, accounts) == (3,)
        totals = "select count(*) from (select from partner where id = %s for update skip locked) p"
        assert await cast.row(totals, data.partner.organisation_id) == (1,)
    await recording
    assert await pending(cast, *accounts) == 0
    await assert_totals(cast, data.contract)


async def test_imports_at_once_record_everything_once(cast: Cast) -> None:
    data = await partner_data(cast)
    accounts = [await cast.account(data.partner) for _ in range(8)]
    lines = [f"{account},2026-01-{day:02},{day}" for account in accounts for day in range(6, 20)]
    await accept(cast, *lines)
    results = await asyncio.gather(*[actions.record_accepted(cast.database, LATER, lines=20) for _ in range(4)])
    assert sum(result.changed for result in results) == len(lines)
    await assert_totals(cast, data.contract)


async def test_a_day_is_not_closed_before_accepted_lines_are_recorded(own_database: Cast) -> None:
    cast = own_database
    data = await partner_data(cast)
    account = await cast.account(data.partner)
    now = at("2026-03-10", "15:00:00")
    await accept(cast, f"{account},2026-01-06,5")
    await actions.run_maintenance(cast.database, now, clock_at(now))
    assert (await rows_of(cast, account))[1][1] == 5
    assert (now.date() - await cast.database.run(first_open_day)).days == RETENTION_DAYS


async def measured(cast: Cast, account: int, hour: datetime) -> None:
    await cast.database.transaction(actions.record_samples, [Sample(1, account, hour, 100, 1)], LATER)


async def on_cluster(cast: Cast) -> int:
    """An account in a region with a cluster, which sampled it at 10:00 on 6 January."""
    data = await partner_data(cast)
    region = await cast.region()
    account = await cast.account(data.partner, region=region)

    async def connect(conn: Connection) -> None:
        await conn.execute(
            "update region set backend = 'ceph', admin_url = 'http://rgw', connected_at = created_at where name = %s",
            [region],
        )

    await cast.database.run(connect)
    await measured(cast, account, at("2026-01-06", "10:00:00"))
    return account


async def test_lines_for_accounts_on_a_cluster_are_refused(cast: Cast) -> None:
    account = await on_cluster(cast)
    metered = await cast.account((await partner_data(cast)).partner)
    async with refused(cast.database, Invalid) as refusal:
        await import_lines(cast, f"{metered},2026-01-06,1", f"{account},2026-01-07,999", f"{account},2026-01-01,1")
    assert [(field.field, field.message) for field in refusal.value.fields] == [
        ("line 2", "the account is on a storage cluster, which is sampled; import usage for metered regions only"),
        ("line 3", "the day is before the account was created on 2026-01-05"),
    ]


async def test_force_fills_hours_without_a_sample_of_the_cluster(cast: Cast) -> None:
    account = await on_cluster(cast)
    lines = [f"{account},2026-01-06T09:59:59Z,50", f"{account},2026-01-06T11:00:00Z,70"]
    for _ in range(2):
        await import_lines(cast, *lines, force=True)
    assert [row[3] for row in await rows_of(cast, account)] == [0, 3]
    # The samples of a file may be corrected, those of the cluster may not.
    await import_lines(cast, f"{account},2026-01-06T11:00:00Z,80", force=True)
    assert await rows_of(cast, account) == [
        (date(2026, 1, 5), 0, 0, 0),
        (date(2026, 1, 6), round((50 + 3600 * 100 + 13 * 3600 * 80) / 86400), 80, 3),
    ]
    for time in ("10:00:00", "10:59:59"):
        async with refused(cast.database, Invalid, "the cluster was sampled in that hour"):
            await import_lines(cast, f"{account},2026-01-06T{time}Z,1", force=True)

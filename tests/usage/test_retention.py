"""Days that are closed for readings: what is deleted, by which clock, and what can no longer change."""

import asyncio
from datetime import date, datetime, timedelta
from typing import Any

import psycopg
import pytest

from tests.cast import Cast
from tests.unchanged import refused, unchanged
from tests.usage.steps import (
    LATER,
    OPENED,
    PartnerData,
    assert_totals,
    at,
    clock_at,
    import_lines,
    installed_on,
    numbered,
    partner_data,
    purge,
    record,
    rows_of,
)
from tonnage.db import Connection
from tonnage.errors import Forbidden, Invalid, NotFound, Unavailable
from tonnage.usage import actions
from tonnage.usage.correction import Correction
from tonnage.usage.retention_queries import first_open_day
from tonnage.usage.sample import RETENTION_DAYS
from tonnage.utc import CLOCK_TOLERANCE

pytestmark = [pytest.mark.anyio, pytest.mark.oldest_postgresql]

NOW = at("2026-03-10", "15:00:00")
OPEN = (NOW - timedelta(days=RETENTION_DAYS)).date()
CLOSED = OPEN - timedelta(days=1)


async def close(cast: Cast, now: datetime = NOW) -> None:
    await actions.run_maintenance(cast.database, now, clock_at(now))


async def closed_data(cast: Cast) -> tuple[PartnerData, int]:
    """An account with two samples on the last closed day, 100 from midnight and 200 from noon."""
    data = await partner_data(cast)
    account = await cast.account(data.partner)
    await record(cast, (account, at(str(CLOSED)), 100), (account, at(str(CLOSED), "12:00:00"), 200))
    await close(cast)
    return data, account


async def value(cast: Cast, account: int, day: date) -> tuple[int, int, int]:
    return {row[0]: row[1:] for row in await rows_of(cast, account)}[day]


async def test_a_line_for_a_closed_day_is_refused_and_the_day_keeps_its_value(own_database: Cast) -> None:
    cast = own_database
    data, account = await closed_data(cast)
    silent = await cast.account(data.partner)
    lines = [f"{account},{CLOSED}T12:00:00Z,200", f"{silent},{CLOSED},5", f"{account},{OPEN},1"]
    for again in (lines, [f"{account},{CLOSED}T18:00:00Z,7", *lines[1:]]):
        async with refused(cast.database, Invalid) as refusal:
            await import_lines(cast, *again, now=NOW)
        reason = (
            f"the day is closed: readings before {OPEN} were deleted; correct its value with `tonnage usage correct`"
        )
        assert [(field.field, field.message) for field in refusal.value.fields] == [
            ("line 1", reason),
            ("line 2", reason),
        ]
    assert await value(cast, account, CLOSED) == (150, 200, 2)


async def test_the_first_open_day_begins_with_what_the_last_closed_one_ended_with(own_database: Cast) -> None:
    cast = own_database
    data, account = await closed_data(cast)
    await record(cast, (account, at(str(OPEN), "06:00:00"), 400), now=NOW)
    assert await value(cast, account, OPEN) == (350, 400, 1)
    await record(cast, (account, at(str(OPEN), "06:00:00"), 40), now=NOW)
    assert await value(cast, account, OPEN) == (80, 40, 1)
    assert await value(cast, account, CLOSED) == (150, 200, 2)
    await assert_totals(cast, data.contract)


async def test_the_closed_days_never_become_fewer(own_database: Cast) -> None:
    cast = own_database
    await close(cast)
    await close(cast, NOW - timedelta(days=5))
    assert await cast.database.run(first_open_day) == OPEN
    for change in ("update usage_retention set readings_closed_before = '2026-01-01'", "delete from usage_retention"):
        with pytest.raises(psycopg.errors.RaiseException, match="never goes back"):
            await cast.row(change + " returning 1")


@pytest.mark.parametrize("wrong", [timedelta(days=60), -timedelta(days=60), CLOCK_TOLERANCE + timedelta(seconds=1)])
async def test_a_wrong_clock_deletes_nothing(own_database: Cast, wrong: timedelta) -> None:
    cast = own_database
    _, account = await closed_data(cast)
    await record(cast, (account, at(str(OPEN)), 5), now=NOW)
    later = NOW + timedelta(days=30)
    async with refused(cast.database, Unavailable, "Synchronise"):
        await actions.run_maintenance(cast.database, later + wrong, clock_at(later))
    assert await cast.database.run(first_open_day) == OPEN


async def test_of_two_clocks_that_hardly_differ_the_earlier_day_counts(own_database: Cast) -> None:
    cast = own_database
    midnight = at("2026-03-11")
    await actions.run_maintenance(cast.database, midnight, clock_at(midnight - timedelta(seconds=1)))
    assert await cast.database.run(first_open_day) == OPEN
    await actions.run_maintenance(cast.database, midnight - timedelta(seconds=1), clock_at(midnight))
    assert await cast.database.run(first_open_day) == OPEN


async def test_a_purge_that_is_finished_late_does_not_rebuild_a_closed_day(own_database: Cast) -> None:
    cast = own_database
    data = await partner_data(cast)
    account = await cast.account(data.partner)
    await record(cast, (account, at(str(CLOSED)), 100), (account, at(str(CLOSED), "06:00:00"), 200))
    await purge(cast, data.partner, account, at(str(CLOSED), "12:00:00"))
    before = await value(cast, account, CLOSED)
    assert before == (75, 200, 2)
    await close(cast)
    async with unchanged(cast.database):
        await cast.database.transaction(actions.finish_days, account)


async def correct(cast: Cast, actor: Any, account: int, day: date, usage: int) -> bool:
    return await cast.database.transaction(actions.correct_day, actor, account, Correction(day, usage), NOW)


async def test_a_closed_day_is_corrected_explicitly(own_database: Cast) -> None:
    cast = own_database
    data, account = await closed_data(cast)
    assert await correct(cast, cast.operator, account, CLOSED, 125)
    assert await value(cast, account, CLOSED) == (125, 200, 2)
    sums = "select usage from partner_usage where partner_id = %s and day = %s"
    assert await cast.row(sums, data.partner.organisation_id, CLOSED) == (125,)
    entry = await cast.row(
        "select organisation_id, subject_id, before, after from audit_entry where action = 'usage.correct'"
    )
    assert entry == (
        data.partner.organisation_id,
        str(account),
        {"day": str(CLOSED), "usage": 150},
        {"day": str(CLOSED), "usage": 125},
    )
    async with unchanged(cast.database):
        assert not await correct(cast, cast.operator, account, CLOSED, 125)
    # What follows depends on samples alone.
    await record(cast, (account, at(str(OPEN), "12:00:00"), 0), now=NOW)
    assert await value(cast, account, OPEN) == (100, 0, 1)
    await assert_totals(cast, data.contract)


async def test_a_closed_day_without_samples_is_corrected_too(own_database: Cast) -> None:
    cast = own_database
    data, account = await closed_data(cast)
    silent = await cast.account(data.partner)
    await close(cast, NOW + timedelta(days=9))
    day = CLOSED + timedelta(days=5)
    assert await correct(cast, cast.operator, account, day, 7)
    assert [row[1] for row in await rows_of(cast, account)][-6:] == [150, 200, 200, 200, 200, 7]
    assert await correct(cast, cast.operator, silent, OPENED.date(), 8)
    assert await rows_of(cast, silent) == [(OPENED.date(), 8, 0, 0)]
    await record(cast, (silent, at("2026-03-12"), 3), now=NOW + timedelta(days=9))
    assert [row[1] for row in await rows_of(cast, silent)][:2] == [8, 0]
    await assert_totals(cast, data.contract)


async def test_corrections_that_are_refused(own_database: Cast) -> None:
    cast = own_database
    data, account = await closed_data(cast)
    gone = await cast.account(data.partner)
    await purge(cast, data.partner, gone, at(str(CLOSED - timedelta(days=1)), "12:00:00"))
    for actor in (data.distributor, data.partner):
        async with refused(cast.database, Forbidden):
            await correct(cast, actor, account, CLOSED, 1)
    async with refused(cast.database, NotFound):
        await correct(cast, cast.operator, 100_000_000_000, CLOSED, 1)
    for number, day, reason in (
        (account, OPEN, "the day is open for readings; import the right ones"),
        (account, OPENED.date() - timedelta(days=1), f"the account existed from {OPENED.date()} to {NOW.date()}"),
        (account, NOW.date() + timedelta(days=1), f"the account existed from {OPENED.date()} to {NOW.date()}"),
        (gone, CLOSED, f"the account existed from {OPENED.date()} to {CLOSED - timedelta(days=1)}"),
    ):
        async with refused(cast.database, Invalid, reason) as refusal:
            await correct(cast, cast.operator, number, day, 1)
        assert [field.field for field in refusal.value.fields] == ["day"]


PARTITIONS = "select array_agg(part::text order by until) from time_partitions('usage_sample')"


async def test_housekeeping_drops_closed_days_and_makes_partitions_ahead(own_database: Cast) -> None:
    cast = own_database
    await installed_on(cast, "2026-01-10")
    data = await partner_data(cast)
    accounts = [await cast.account(data.partner) for _ in range(3)]
    edge = at(str(OPEN))
    await record(cast, (accounts[0], at("2026-01-09"), 4), *[(a, edge - timedelta(seconds=1), 5) for a in accounts])
    await record(cast, *[(a, edge, 6) for a in accounts])
    assert await cast.row(PARTITIONS) == (
        ["usage_sample_earlier", "usage_sample_2026_01_28", "usage_sample_2026_01_29"],
    )
    before = await rows_of(cast, accounts[0])
    # Two of samples and the first one of hourly traffic.
    assert await actions.run_maintenance(cast.database, NOW, clock_at(NOW)) == 3
    ahead = [f"usage_sample_2026_03_{day}" for day in (10, 11, 12, 13)]
    assert await cast.row(PARTITIONS) == (["usage_sample_2026_01_29", *ahead],)
    left = await cast.row(
        "select array_agg(sampled_at), count(*) from usage_sample where account_id = any(%s)", accounts
    )
    assert left == ([edge] * 3, 3)
    assert await actions.run_maintenance(cast.database, NOW, clock_at(NOW)) == 0
    assert await rows_of(cast, accounts[0]) == before
    assert await cast.row("select to_regclass('daily_usage_2026_06') is not null") == (True,)


async def test_a_day_in_use_is_dropped_later(own_database: Cast) -> None:
    cast = own_database
    await installed_on(cast, "2026-01-10")

    async def close_meanwhile(conn: Connection) -> None:
        await conn.execute("select from usage_sample")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            await close(cast)

    await cast.database.transaction(close_meanwhile)
    assert await cast.row(PARTITIONS + " where first is null") == (["usage_sample_earlier"],)
    await close(cast)
    assert await cast.row(PARTITIONS + " where first is null") == (None,)


async def test_two_runs_at_once_drop_each_partition_once(own_database: Cast) -> None:
    cast = own_database
    await installed_on(cast, "2026-01-10")
    account = await cast.account((await partner_data(cast)).partner)
    await record(cast, *[(account, at("2026-01-10") + timedelta(days=day), 1) for day in range(19)])
    runs = [actions.run_maintenance(cast.database, NOW, clock_at(NOW)) for _ in range(2)]
    assert sum(await asyncio.gather(*runs)) == 21


async def test_two_imports_need_the_same_new_days(own_database: Cast) -> None:
    cast = own_database
    await installed_on(cast, "2026-01-10")
    data = await partner_data(cast)
    accounts = [await cast.account(data.partner) for _ in range(4)]
    days = [at("2026-02-01") + timedelta(days=day) for day in range(9)]
    await asyncio.gather(*[record(cast, *[(account, day, 1) for day in days]) for account in accounts])
    assert await cast.row("select count(*) from usage_sample") == (36,)
    assert await cast.row("select count(*) from time_partitions('usage_sample')") == (10,)


async def test_an_hour_looks_at_the_partitions_of_its_day_alone(own_database: Cast) -> None:
    """Each of 45 costs planning, and a lock."""
    cast = own_database
    await installed_on(cast, "2026-01-10")
    account = await cast.account((await partner_data(cast)).partner)
    await record(cast, *[(account, at("2026-01-10") + timedelta(days=day), 1) for day in range(30)])
    hour = at("2026-02-08", "05:00:00")

    async def locked(conn: Connection) -> list[str]:
        await actions.record_samples(conn, numbered([(account, hour, 2)]), LATER)
        cursor = await conn.execute(
            "select distinct part::text from time_partitions('usage_sample') join pg_locks on relation = part"
            " where pid = pg_backend_pid()"
        )
        return [name for (name,) in await cursor.fetchall()]

    assert await cast.database.transaction(locked) == ["usage_sample_2026_02_08"]


async def test_sampling_runs_go_after_forty_days_but_not_the_last_that_was_finished(own_database: Cast) -> None:
    cast = own_database
    now = at("2026-03-10")
    edge = now - timedelta(days=RETENTION_DAYS)
    sampled, stopped = [await cast.region() for _ in range(2)]
    hour = timedelta(hours=1)
    for region, begun, finished in [
        (sampled, edge - 2 * hour, edge),
        (sampled, edge - hour, None),
        (sampled, edge, edge),
        (sampled, now, None),
        (stopped, edge - 3 * hour, edge),
        (stopped, edge - 2 * hour, edge),
        (stopped, edge - hour, None),
    ]:
        await cast.row(
            """
            insert into sampling_run (region_id, hour, started_at, finished_at)
            select id, %s, %s, %s from region where name = %s returning hour
            """,
            begun,
            begun,
            finished,
            region,
        )
    await actions.run_maintenance(cast.database, now, clock_at(now))
    left = """
        select array_agg(s.hour order by s.hour) from sampling_run s join region r on r.id = s.region_id
        where r.name = %s
    """
    assert await cast.row(left, sampled) == ([edge, now],)
    assert await cast.row(left, stopped) == ([edge - 2 * hour, edge - hour],)

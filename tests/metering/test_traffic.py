"""Traffic: hours that are read, read again and trimmed, and the sums of the days."""

import asyncio
import time
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from psycopg import sql

from tests.cast import Cast
from tests.metering.sampled import SampledData
from tests.usage.steps import LATER, at, clock_at, installed_on, partner_data
from tonnage.access.checks import Difference
from tonnage.db import Connection
from tonnage.epoch.epoch import Permit
from tonnage.metering import checks as metering_checks
from tonnage.metering import traffic_actions
from tonnage.storage.backend import ClusterUser, Traffic
from tonnage.usage import actions
from tonnage.utc import hour_of

pytestmark = [pytest.mark.anyio, pytest.mark.oldest_postgresql]

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


async def store_traffic(cast: Cast, account: int, *rows: tuple[int, datetime, int, int, int]) -> None:
    """Stores rows as if they had been read from the cluster of the account's region."""
    (region,) = await cast.row("select region_id from storage_account where id = %s", account)
    await traffic_actions.store(cast.database, region, [Traffic(*row) for row in rows], LATER)


async def rows_of(cast: Cast, table: str, account: int) -> list[tuple[Any, ...]]:
    """Day or hour, bytes sent, bytes received, requests."""
    query = sql.SQL("select * from {} where account_id = %s order by 2").format(sql.Identifier(table))

    async def read(conn: Connection) -> list[tuple[Any, ...]]:
        return [row[1:] for row in await (await conn.execute(query, [account])).fetchall()]

    return await cast.database.run(read)


async def test_a_day_is_the_sum_of_its_hours(cast: Cast) -> None:
    account = await cast.account((await partner_data(cast)).partner)
    await store_traffic(
        cast,
        account,
        (account, at("2026-01-06", "23:00:00"), 1, 10, 100),
        (account, at("2026-01-07", "00:00:00"), 2, 20, 200),
        (account, at("2026-01-07", "23:00:00"), 3, 30, 300),
    )
    assert await rows_of(cast, "daily_traffic", account) == [
        (date(2026, 1, 6), 1, 10, 100),
        (date(2026, 1, 7), 5, 50, 500),
    ]


async def test_of_two_readings_the_greater_counts_for_each_number(cast: Cast) -> None:
    account = await cast.account((await partner_data(cast)).partner)
    nine, ten = at("2026-01-07", "09:00:00"), at("2026-01-07", "10:00:00")
    await store_traffic(cast, account, (account, nine, 100, 100, 10), (account, ten, 1, 1, 1))
    await store_traffic(cast, account, (account, nine, 100, 100, 10))
    assert await rows_of(cast, "daily_traffic", account) == [(date(2026, 1, 7), 101, 101, 11)]
    # Late growth; then a log that was trimmed and starts from zero.
    await store_traffic(cast, account, (account, nine, 150, 7, 12))
    await store_traffic(cast, account, (account, nine, 1, 1, 1), (account, ten, 0, 0, 0))
    await store_traffic(cast, account)
    assert await rows_of(cast, "traffic_hour", account) == [(nine, 150, 100, 12), (ten, 1, 1, 1)]
    assert await rows_of(cast, "daily_traffic", account) == [(date(2026, 1, 7), 151, 101, 13)]


async def test_accounts_unknown_in_the_region_are_ignored(cast: Cast) -> None:
    partner = (await partner_data(cast)).partner
    account, elsewhere = await cast.account(partner), await cast.account(partner)
    other = await cast.database.run(lambda conn: _region(cast, conn))

    async def move(conn: Connection) -> None:
        await conn.execute("update storage_account set region_id = %s where id = %s", [other, elsewhere])

    await cast.database.run(move)
    nine = at("2026-01-07", "09:00:00")
    await store_traffic(
        cast, account, (account, nine, 1, 1, 1), (elsewhere, nine, 2, 2, 2), (100_000_000_000, nine, 3, 3, 3)
    )
    assert await rows_of(cast, "traffic_hour", account) == [(nine, 1, 1, 1)]
    assert await rows_of(cast, "traffic_hour", elsewhere) == []
    assert await rows_of(cast, "traffic_hour", 100_000_000_000) == []


async def _region(cast: Cast, conn: Connection) -> int | None:
    row = await (await conn.execute("select id from region where name = %s", [await cast.region()])).fetchone()
    return row[0] if row else None


async def test_two_readers_at_once_lose_nothing(cast: Cast) -> None:
    account = await cast.account((await partner_data(cast)).partner)
    hours = [at("2026-01-07") + number * HOUR for number in range(24)]
    await asyncio.gather(*[store_traffic(cast, account, (account, hour, 1, 2, 3)) for hour in hours * 2])
    assert await rows_of(cast, "daily_traffic", account) == [(date(2026, 1, 7), 24, 48, 72)]


async def test_hours_go_after_forty_days_and_days_stay(own_database: Cast) -> None:
    cast = own_database
    await installed_on(cast, "2026-02-02")
    account = await cast.account((await partner_data(cast)).partner)
    oldest = at("2026-02-03")
    await store_traffic(cast, account, (account, oldest - HOUR, 1, 1, 1), (account, oldest, 2, 2, 2))
    await actions.run_maintenance(cast.database, LATER, clock_at(LATER))
    assert await rows_of(cast, "traffic_hour", account) == [(oldest, 2, 2, 2)]
    assert await rows_of(cast, "daily_traffic", account) == [
        (date(2026, 2, 2), 1, 1, 1),
        (date(2026, 2, 3), 2, 2, 2),
    ]
    # An hour of a day whose other hours are deleted.
    await store_traffic(cast, account, (account, oldest - 2 * HOUR, 9, 9, 9), (account, oldest, 3, 2, 2))
    assert await rows_of(cast, "traffic_hour", account) == [(oldest, 3, 2, 2)]
    assert await rows_of(cast, "daily_traffic", account) == [
        (date(2026, 2, 2), 1, 1, 1),
        (date(2026, 2, 3), 3, 2, 2),
    ]


async def test_the_doctor_adds_up_the_days(cast: Cast) -> None:
    account = await cast.account((await partner_data(cast)).partner)
    await store_traffic(cast, account, (account, at("2026-01-07"), 5, 6, 7))
    assert await _differing(cast, account) == []

    async def tamper(conn: Connection) -> None:
        await conn.execute("update daily_traffic set sent = 4 where account_id = %s", [account])

    await cast.database.run(tamper)
    assert await _differing(cast, account) == [(f"{account} 2026-01-07", "(4,6,7)", "(5,6,7)")]

    async def mend(conn: Connection) -> None:
        await conn.execute("update daily_traffic set sent = 5 where account_id = %s", [account])

    await cast.database.run(mend)


async def _differing(cast: Cast, account: int) -> list[Difference]:
    found = await cast.database.run(metering_checks.traffic)
    return [difference for difference in found.differences if difference.subject.startswith(str(account))]


async def _create_traffic(data: SampledData, account: int) -> datetime:
    """The account stores 3,000 bytes and reads them twice, with its bucket in four requests. Returns the hour of the
    first one.
    """
    began = hour_of(datetime.now(UTC))
    with await data.customer(account) as customer:
        customer.s3.create_bucket(Bucket="data")
        assert customer.stores("data", 3_000) == "done"
        for _ in range(2):
            customer.s3.get_object(Bucket="data", Key="object")["Body"].read()
    deadline = time.monotonic() + 10
    while await _logged(data, account, began) < 4:
        assert time.monotonic() < deadline, "the gateway writes its usage log once a second"
        await asyncio.sleep(0.1)
    return began


async def _logged(data: SampledData, account: int, since: datetime) -> int:
    """Number of requests in the gateway's log."""
    until = datetime.now(UTC) + HOUR
    return sum([row.requests async for row in data.probe.traffic(since, until, {}) if row.account_id == account])


async def _total(data: SampledData, account: int) -> tuple[Any, ...]:
    """The sum over all days: the hour, and the day, may have changed during the test."""
    rows = await rows_of(data.cast, "daily_traffic", account)
    return tuple(sum(column) for column in list(zip(*rows, strict=True))[1:])


@pytest.mark.ceph
async def test_logged_traffic_is_counted_once_and_survives_trimming(data: SampledData) -> None:
    (account,) = await data.accounts(1)
    began = await _create_traffic(data, account)
    # The running hour is read up to its begin only.
    await data.read(began)
    assert await rows_of(data.cast, "traffic_hour", account) == []
    await data.read(datetime.now(UTC) + HOUR)
    assert await _total(data, account) == (6_000, 3_000, 4)
    await data.probe.trim_traffic(ClusterUser(account), datetime.now(UTC) + HOUR)
    await data.read(datetime.now(UTC) + 2 * HOUR)
    assert await _logged(data, account, began) == 0
    assert await _total(data, account) == (6_000, 3_000, 4)


@pytest.mark.ceph
async def test_which_hours_are_read(data: SampledData) -> None:
    noon = at("2026-03-15", "12:00:00")

    async def spans(now: datetime) -> list[tuple[datetime, datetime]]:
        data.probe.spans = []
        await data.read(now)
        assert [until - since for since, until in data.probe.spans] == [HOUR] * len(data.probe.spans)
        return [(data.probe.spans[0][0], data.probe.spans[-1][1])] if data.probe.spans else []

    assert await spans(noon + timedelta(minutes=5)) == [(noon - HOUR, noon)]
    assert await spans(noon + timedelta(minutes=59)) == []
    assert await spans(noon + HOUR) == [(noon - HOUR, noon + HOUR)]
    assert await spans(noon + 4 * HOUR) == [(noon, noon + 4 * HOUR)]
    later = noon + 30 * DAY
    assert await spans(later) == [(later - 14 * DAY, later)]


@pytest.mark.ceph
async def test_the_log_is_trimmed_once_a_day(data: SampledData) -> None:
    busy, _ = await data.accounts(2)
    began = await _create_traffic(data, busy)
    await data.read(began)
    await data.read(datetime.now(UTC) + HOUR)
    midnight = datetime.combine(began + DAY, datetime.min.time(), UTC)

    async def trimmed(now: datetime) -> list[int]:
        data.probe.trimmed = []
        await traffic_actions.trim(data.cast.database, data.probe, Permit(data.client.region_id, 0, now), clock_at(now))
        return data.probe.trimmed

    assert await trimmed(midnight + 6 * DAY) == []
    assert await _logged(data, busy, began) == 4
    # A worker whose clock is not that of the database.
    ahead = midnight + 8 * DAY
    await traffic_actions.trim(data.cast.database, data.probe, Permit(data.client.region_id, 0, ahead), clock_at(began))
    assert await _logged(data, busy, began) == 4
    assert await trimmed(midnight + 8 * DAY) == [busy]
    assert await _logged(data, busy, began) == 0
    assert await trimmed(midnight + 8 * DAY + 23 * HOUR) == []
    assert await trimmed(midnight + 9 * DAY) == []
    assert await _total(data, busy) == (6_000, 3_000, 4)


@pytest.mark.ceph
async def test_a_log_that_cannot_be_trimmed_is_left_to_the_next_run(drill: SampledData) -> None:
    (account,) = await drill.accounts(1)
    hour = at("2026-03-01")
    await store_traffic(drill.cast, account, (account, hour, 1, 1, 1))
    drill.client.gateway.kill()
    try:
        await traffic_actions.trim(
            drill.cast.database, drill.probe, Permit(drill.client.region_id, 0, LATER), clock_at(LATER)
        )
        assert drill.probe.trimmed == [account]
    finally:
        drill.client.gateway.start()

"""The daily usage of partners is the sum of their accounts' daily values, by whichever statement these are written."""

import asyncio
import random
from datetime import date, timedelta
from typing import Any

import pytest

from tests.cast import Cast
from tests.usage.steps import LATER, at, numbered, partner_data, purge, record
from tests.usage.test_races import deadlocks
from tonnage.access.actor import Actor
from tonnage.db import Connection, Database
from tonnage.usage import actions

pytestmark = [pytest.mark.anyio, pytest.mark.oldest_postgresql]

START = at("2026-01-06")


async def days_of(cast: Cast, partner: Actor) -> dict[date, int]:
    async def read(conn: Connection) -> list[Any]:
        cursor = await conn.execute(
            "select day, usage from partner_usage where partner_id = %s order by day", [partner.organisation_id]
        )
        return await cursor.fetchall()

    return {day: int(usage) for day, usage in await cast.database.run(read)}


async def assert_summed_up(cast: Cast, *partners: Actor) -> None:
    """Compared with the accounts' rows, read one by one and added here."""

    async def read(conn: Connection) -> list[Any]:
        cursor = await conn.execute(
            "select s.partner_id, d.day, d.usage from daily_usage d join storage_account s on s.id = d.account_id"
            " where s.partner_id = any(%s)",
            [[partner.organisation_id for partner in partners]],
        )
        return await cursor.fetchall()

    rows = await cast.database.run(read)
    assert rows
    for partner in partners:
        sums: dict[date, int] = {}
        for owner, day, usage in rows:
            if owner == partner.organisation_id:
                sums[day] = sums.get(day, 0) + usage
        stored = await days_of(cast, partner)
        assert {day: usage for day, usage in stored.items() if usage} == {d: u for d, u in sums.items() if u}


async def test_samples_late_changed_and_of_several_partners(cast: Cast) -> None:
    data = await partner_data(cast)
    other = await cast.partner(data.distributor, data.contract)
    one, two = await cast.account(data.partner), await cast.account(data.partner)
    three = await cast.account(other)
    await record(cast, (one, at("2026-01-08"), 100), (two, at("2026-01-07"), 2**63 - 1), (three, at("2026-01-07"), 7))
    assert await days_of(cast, data.partner) == {
        date(2026, 1, 5): 0,
        date(2026, 1, 6): 0,
        date(2026, 1, 7): 2**63 - 1,
        date(2026, 1, 8): 100,
    }
    await record(cast, (one, at("2026-01-06"), 50), (two, at("2026-01-09"), 2**63 - 1))
    assert await days_of(cast, data.partner) == {
        date(2026, 1, 5): 0,
        date(2026, 1, 6): 50,
        date(2026, 1, 7): 2**63 - 1 + 50,
        date(2026, 1, 8): 2**63 - 1 + 100,
        date(2026, 1, 9): 2**63 - 1,
    }
    await record(cast, (one, at("2026-01-06"), 10), (one, at("2026-01-06", "12:00:00"), 20))
    assert (await days_of(cast, data.partner))[date(2026, 1, 6)] == 15
    await assert_summed_up(cast, data.partner, other)


async def test_purged_accounts_remain_in_past_days(cast: Cast) -> None:
    data = await partner_data(cast)
    gone, kept = await cast.account(data.partner), await cast.account(data.partner)
    await record(cast, (gone, at("2026-01-06"), 100), (kept, at("2026-01-06"), 1))
    await purge(cast, data.partner, gone, at("2026-01-10", "12:00:00"))
    await record(cast, (gone, at("2026-01-07"), 50), (kept, at("2026-01-12"), 2))
    assert (await days_of(cast, data.partner))[date(2026, 1, 7)] == 51
    await assert_summed_up(cast, data.partner)


async def test_every_statement_that_writes_daily_values(cast: Cast) -> None:
    """An older program does not maintain the sums; its statements are like these."""
    data = await partner_data(cast)
    account = await cast.account(data.partner)
    day = date(2026, 1, 7)

    async def write(text: Any) -> None:
        async def work(conn: Connection) -> None:
            await conn.execute("select ensure_usage_partitions('2026-01-01', '2026-02-01')")
            await conn.execute(text, [account])

        await cast.database.run(work)

    await write("insert into daily_usage (account_id, day, usage, closing, samples) values (%s, '2026-01-07', 5, 5, 1)")
    assert await days_of(cast, data.partner) == {day: 5}
    await write("update daily_usage set usage = usage * 10 where account_id = %s")
    assert await days_of(cast, data.partner) == {day: 50}
    await write("update daily_usage set samples = 2 where account_id = %s")
    assert await days_of(cast, data.partner) == {day: 50}
    await write(
        "insert into daily_usage (account_id, day, usage, closing, samples)"
        " select id, day, 7, 7, 1 from storage_account, (values ('2026-01-07'::date), ('2026-02-01')) d (day)"
        " where id = %s on conflict (account_id, day) do update set usage = excluded.usage"
    )
    assert await days_of(cast, data.partner) == {day: 7, date(2026, 2, 1): 7}
    await write("delete from daily_usage where account_id = %s and day = '2026-02-01'")
    assert await days_of(cast, data.partner) == {day: 7, date(2026, 2, 1): 0}


async def test_imports_at_once_of_different_accounts_of_the_same_partners(cast: Cast, database: Database) -> None:
    """No account is shared, so only the sums can make them wait; days are inserted by some and changed by others."""
    data = await partner_data(cast)
    partners = [data.partner, *[await cast.partner(data.distributor, data.contract) for _ in range(7)]]
    crews = [[await cast.account(partner) for partner in partners for _ in range(2)] for _ in range(4)]

    async def import_some(accounts: list[int], seed: int) -> None:
        rng = random.Random(seed)
        moments = {
            (account, START + timedelta(days=rng.randint(0, 20))): rng.randint(0, 10**12)
            for account in rng.choices(accounts, k=12)
        }
        rows = numbered((account, moment, size) for (account, moment), size in moments.items())
        await database.transaction(actions.record_samples, rows, LATER)

    before = await deadlocks(cast)
    for turn in range(25):
        await asyncio.gather(*[import_some(crew, turn * 10 + n) for n, crew in enumerate(crews)])
    await assert_summed_up(cast, *partners)
    assert await deadlocks(cast) == before

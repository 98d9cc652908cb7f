"""SQL of partitions and retention of the usage tables."""

from datetime import date
from typing import LiteralString

from tonnage.db import Connection, one_row

DROP_SAMPLES: LiteralString = "select drop_oldest_day('usage_sample', %s)"
DROP_HOURS: LiteralString = "select drop_oldest_day('traffic_hour', %s)"


async def make_coming_partitions(conn: Connection, today: date) -> None:
    """Creates the partitions of daily usage for this month and the next three, and those of samples and hourly traffic
    for today and the next three days."""
    await conn.execute(
        "select ensure_usage_partitions(%(today)s::date, (%(today)s::date + interval '3 months')::date)",
        {"today": today},
    )
    await conn.execute(
        """
        select ensure_day_partitions('usage_sample', days), ensure_day_partitions('traffic_hour', days)
        from (select array_agg(%s::date + n) as days from generate_series(0, 3) n) d
        """,
        [today],
    )


async def hold_closed_days(conn: Connection) -> date:
    """The first day that is open for readings; no further day is closed until the transaction ends.

    An advisory lock: a lock of the row would be a write for every batch of samples.
    """
    await conn.execute("select pg_advisory_xact_lock_shared(hashtext('usage_retention'))")
    return await first_open_day(conn)


async def first_open_day(conn: Connection) -> date:
    """The first day that is open for readings; `date.min` while none was ever closed."""
    cursor = await conn.execute("select greatest(readings_closed_before, '0001-01-01') from usage_retention")
    return (await one_row(cursor))[0]


async def close_days(conn: Connection, oldest: date) -> date:
    """Closes the days before `oldest` for readings; waits for transactions that record some. Returns the first open
    day, which is never earlier than before. Days of accepted lines that are not recorded yet stay open."""
    async with conn.transaction():
        await conn.execute("select pg_advisory_xact_lock(hashtext('usage_retention'))")
        cursor = await conn.execute(
            "update usage_retention set readings_closed_before = greatest(readings_closed_before,"
            " least(%s::date, (select min(sampled_at)::date from usage_import_line))) returning readings_closed_before",
            [oldest],
        )
        return (await one_row(cursor))[0]


async def drop_oldest_day(conn: Connection, statement: LiteralString, first_open: date) -> bool:
    """Drops the oldest partition of a table if all its days are closed; returns whether it did. `statement`:
    DROP_SAMPLES or DROP_HOURS."""
    return (await one_row(await conn.execute(statement, [first_open])))[0]


async def trim_runs(conn: Connection, oldest: date) -> None:
    """Deletes the sampling runs before the day `oldest`; of each region the last finished one stays, since it says as
    of when its usage is known."""
    await conn.execute(
        """
        delete from sampling_run old where old.hour < %(oldest)s::date::timestamptz and exists (
            select from sampling_run later
            where later.region_id = old.region_id and later.hour > old.hour and later.finished_at is not null)
        """,
        {"oldest": oldest},
    )

"""SQL of partitions and retention of the usage tables."""

from datetime import date

from tonnage.db import Connection

_ACCOUNTS_AT_ONCE = 1000


async def make_coming_partitions(conn: Connection, today: date) -> None:
    """Creates the partitions of this month and the next three."""
    await conn.execute(
        "select ensure_usage_partitions(%(today)s::date, (%(today)s::date + interval '3 months')::date)",
        {"today": today},
    )


async def trim(conn: Connection, oldest: date, after: int) -> tuple[int | None, int]:
    """Deletes samples and hourly traffic before the day `oldest`, of the next accounts after the id `after`.

    Returns the last of these accounts, None when there are none left, and the number of samples deleted. By account,
    because the tables have no index by age.
    """
    cursor = await conn.execute(
        """
        with visited as materialized (
            select id from storage_account where id > %(after)s order by id limit %(limit)s
        ), past as (
            delete from traffic_hour h using visited
            where h.account_id = visited.id and h.hour < %(oldest)s::date::timestamptz
        ), gone as (
            delete from usage_sample u using visited
            where u.account_id = visited.id and u.sampled_at < %(oldest)s::date::timestamptz returning u.bytes
        )
        select (select max(id) from visited), (select count(*) from gone)
        """,
        {"after": after, "limit": _ACCOUNTS_AT_ONCE, "oldest": oldest},
    )
    row = await cursor.fetchone()
    return row or (None, 0)


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

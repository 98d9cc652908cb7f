"""SQL of the sandbox: its clock, and the levels of usage."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import LiteralString, NamedTuple
from uuid import UUID

from tonnage.db import Connection, one_row
from tonnage.sandbox.level import LevelAccount, UsageLevel


class ClockState(NamedTuple):
    """The business time, and the last day for which what recurs was done."""

    time: datetime
    finished: date


async def clock_state(conn: Connection) -> ClockState | None:
    """None: the database is no sandbox."""
    row = await (await conn.execute("select business_time, finished_day from sandbox_clock")).fetchone()
    return ClockState(*row) if row else None


async def operator_and_time(conn: Connection) -> tuple[UUID, datetime | None]:
    """The operator, and the business time if the database is a sandbox."""
    cursor = await conn.execute(
        "select o.id, (select business_time from sandbox_clock) from organisation o where o.kind = 'operator'"
    )
    found, time = await one_row(cursor)
    return found, time


async def hold_data(conn: Connection) -> None:
    """Keeps others from adding anything until the transaction ends."""
    await conn.execute("lock table sandbox_clock, organisation, region, member, api_key in share row exclusive mode")


async def was_served(conn: Connection) -> bool:
    """Whether a server or worker has worked on the database, or works: it would not notice that this is a sandbox."""
    cursor = await conn.execute(
        "select exists (select from procrastinate_workers union all select from installation where epoch > 1)"
    )
    return (await one_row(cursor))[0]


async def create_clock(conn: Connection, at: datetime) -> None:
    """Makes the database a sandbox, at the beginning of a day. Constraint sandbox_clock_rules: it holds data."""
    await conn.execute(
        "insert into sandbox_clock (business_time, finished_day)"
        " values (%(at)s, (%(at)s::timestamptz at time zone 'UTC')::date - 1)",
        {"at": at},
    )


async def lock(conn: Connection) -> None:
    """Waits until nobody else advances the clock; nobody does, until `unlock` or the end of the connection.

    LockNotAvailable: that takes longer than the connection waits for locks.
    """
    await conn.execute("select pg_advisory_lock(hashtext('sandbox_advance'))")


async def unlock(conn: Connection) -> None:
    """Ends `lock`."""
    await conn.execute("select pg_advisory_unlock(hashtext('sandbox_advance'))")


async def move_clock(conn: Connection, before: datetime, after: datetime) -> bool:
    """False: it was not at `before` any more."""
    cursor = await conn.execute("update sandbox_clock set business_time = %s where business_time = %s", [after, before])
    return cursor.rowcount == 1


async def audit_advance(conn: Connection, before: datetime, until: datetime, stamp: str) -> None:
    """Writes that the clock is going to be advanced."""
    await conn.execute(
        """
        select audit(%(stamp)s, o.id, 'sandbox.advance', 'clock',
            jsonb_build_object('time', %(before)s::timestamptz), jsonb_build_object('time', %(until)s::timestamptz))
        from organisation o where o.kind = 'operator'
        """,
        {"stamp": stamp, "before": before, "until": until},
    )


async def finish_day(conn: Connection, day: date) -> None:
    """Records that what recurs was done for the days up to this one."""
    await conn.execute("update sandbox_clock set finished_day = %s where finished_day < %s", [day, day])


async def hold_levels(conn: Connection) -> None:
    """Nobody else sets levels, or makes readings of them, until the transaction ends."""
    await conn.execute("select pg_advisory_xact_lock(hashtext('usage_level'))")


async def level_account(conn: Connection, account_id: int) -> LevelAccount | None:
    """None: there is no such account."""
    cursor = await conn.execute("select created_at, purged_at from storage_account where id = %s", [account_id])
    row = await cursor.fetchone()
    return LevelAccount(*row) if row else None


async def reading_times(conn: Connection, account_id: int, since: datetime, until: datetime) -> list[datetime]:
    """When there are readings of the account, `since` included, `until` not."""
    cursor = await conn.execute(
        "select sampled_at from usage_sample where account_id = %s and sampled_at >= %s and sampled_at < %s",
        [account_id, since, until],
    )
    return [at for (at,) in await cursor.fetchall()]


async def held_at(conn: Connection, account_id: int, midnight: datetime) -> int:
    """The bytes that the account stored at the beginning of a day; 0 before the first reading."""
    cursor = await conn.execute(
        """
        select coalesce(
            (select bytes from usage_sample where account_id = %(id)s and sampled_at = %(at)s),
            (select closing from daily_usage
                where account_id = %(id)s and day < (%(at)s::timestamptz at time zone 'UTC')::date
                order by day desc limit 1),
            0)
        """,
        {"id": account_id, "at": midnight},
    )
    return (await one_row(cursor))[0]


async def insert_level(conn: Connection, account_id: int, level: UsageLevel, stamp: str) -> None:
    """Adds a level, which counts before those that were added earlier."""
    await conn.execute(
        """
        with l as (
            insert into usage_level (account_id, first_day, last_day, bytes)
            values (%(id)s, %(first)s, %(last)s, %(bytes)s) returning *
        )
        select audit(%(stamp)s, s.partner_id, 'sandbox.usage', s.id::text, null,
            jsonb_build_object('from', l.first_day, 'to', l.last_day, 'bytes', l.bytes))
        from l join storage_account s on s.id = l.account_id
        """,
        {"id": account_id, "first": level.first, "last": level.last, "bytes": level.size, "stamp": stamp},
    )


# After the last level of an account, its use is again what it was on the last day that no level covers.
_LEVELS_OF_DAY: LiteralString = """
select s.id, coalesce((
        select l.bytes from usage_level l
        where l.account_id = s.id and %(day)s between l.first_day and l.last_day
        order by l.seq desc limit 1), (
        select d.closing from daily_usage d
        where d.account_id = s.id and d.day < (
            select max(l.first_day) from usage_level l
            where l.account_id = s.id and l.first_day < %(day)s and not exists (
                select from usage_level o
                where o.account_id = s.id and l.first_day - 1 between o.first_day and o.last_day))
        order by d.day desc limit 1), 0)
from storage_account s join region r on r.id = s.region_id
where r.backend = 'metered' and s.purged_at is null and s.id > %(after)s and exists (
    select from usage_level l
    where l.account_id = s.id and l.first_day <= %(day)s and l.last_day >= %(day)s::date - 1)
order by s.id limit %(limit)s
"""


async def levels_of_day(conn: Connection, day: date, after: int, limit: int) -> Sequence[tuple[int, int]]:
    """The accounts of metered regions with a level on the day or until the day before, and their bytes from then."""
    cursor = await conn.execute(_LEVELS_OF_DAY, {"day": day, "after": after, "limit": limit})
    return await cursor.fetchall()

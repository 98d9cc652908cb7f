"""Sets what accounts of a sandbox store, and makes readings of it."""

from datetime import date, datetime, timedelta

from tonnage.access.actor import Actor, Kind, Role
from tonnage.accounts.actions import no_account
from tonnage.db import Connection, Database
from tonnage.sandbox import queries
from tonnage.sandbox.level import UsageLevel, midnight
from tonnage.usage import retention_queries
from tonnage.usage.actions import record_samples
from tonnage.usage.sample import Sample
from tonnage.utc import day_of

_AT_ONCE = 500


async def set_usage(conn: Connection, actor: Actor, account_id: int, level: UsageLevel, now: datetime) -> int:
    """Sets the bytes of an account on each day of a range, for the operator; returns the number of days that have them
    now, while later ones get them when they are reached. What held before goes on after the range.

    In the caller's transaction. NotFound: no such account. Invalid, naming `from` or `to`: a day on which the account
    did not exist, or one that is closed for readings.
    """
    actor.require(Kind.OPERATOR, Role.ADMIN)
    await queries.hold_levels(conn)
    account = await queries.level_account(conn, account_id)
    if account is None:
        raise no_account(account_id)
    level.check(account, await retention_queries.hold_closed_days(conn))
    today = day_of(now)
    times = level.readings(account.created_at, today)
    if times:
        # Readings that are there within the range get the level, too.
        end = min(level.end, midnight(today + timedelta(days=1)))
        others = await queries.reading_times(conn, account_id, times[0], end)
        readings = dict.fromkeys((*times, *others), level.size)
        if level.ends_before(today, account):
            readings[level.end] = await queries.held_at(conn, account_id, level.end)
        await _record(conn, [(account_id, at, size) for at, size in readings.items()], now)
    await queries.insert_level(conn, account_id, level, actor.stamp)
    return len(times)


async def record_levels(database: Database, now: datetime) -> None:
    """Makes readings of the levels of metered regions, at the beginning of the present day."""
    day = day_of(now)
    after = 0

    async def record(conn: Connection, day: date, after: int) -> int | None:
        await queries.hold_levels(conn)
        found = await queries.levels_of_day(conn, day, after, _AT_ONCE)
        await _record(conn, [(account_id, midnight(day), size) for account_id, size in found], now)
        return found[-1][0] if found else None

    while (last := await database.transaction(record, day, after)) is not None:
        after = last


async def _record(conn: Connection, readings: list[tuple[int, datetime, int]], now: datetime) -> None:
    if readings:
        await record_samples(conn, [Sample(line, *one) for line, one in enumerate(readings, 1)], now)

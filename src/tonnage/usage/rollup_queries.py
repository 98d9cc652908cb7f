"""SQL of the roll-up: computes daily values from staged samples, for all accounts at once.

Lock order: account, days of partners, partner, contract, each in order of id. The contract rows, shared by most
transactions, are locked last and held shortest. Each statement starts after the previous one has its locks, so its
snapshot includes what was committed while waiting for them.
"""

from datetime import date, datetime
from typing import LiteralString, NamedTuple

from tonnage.db import Connection, one_row


class Times(NamedTuple):
    """A range of time. As values in a statement, it makes the planner look at the partitions of these days only."""

    first: datetime
    last: datetime


class Affected(NamedTuple):
    """The numbers of accounts and of days with changed samples, and the time of all samples of the affected days."""

    accounts: int
    days: int
    times: Times


async def make_partitions(conn: Connection) -> Times | None:
    """Creates the partitions that the roll-up of the staged samples can write to. Returns the times of the staged
    samples; None: there are none.

    Must run before any account is locked. Creating a partition holds a lock until the transaction ends; waiting for an
    account meanwhile, whose holder waits for that lock, would be a deadlock. rolled_up_to is read without a lock; it
    only grows.
    """
    cursor = await conn.execute(
        """
        select min(g.first), max(g.last),
            ensure_usage_partitions(min(least(g.first::date, u.rolled_up_to + 1)), max(g.last)::date),
            ensure_day_partitions('usage_sample', (select array_agg(distinct sampled_at::date) from usage_staged))
        from (
            select account_id, min(sampled_at) as first, max(sampled_at) as last from usage_staged group by account_id
        ) g
        join account_usage u on u.account_id = g.account_id
        having count(*) > 0
        """,
        prepare=False,
    )
    row = await cursor.fetchone()
    return Times(*row[:2]) if row else None


async def lock_accounts(conn: Connection) -> None:
    """Locks the usage of the accounts of the staged samples: two imports for the same accounts run one after the other.
    A purge locks it too."""
    await conn.execute("select lock_usage(array(select distinct account_id from usage_staged))", prepare=False)


async def lock_account(conn: Connection, account_id: int) -> None:
    """Locks the usage of one account."""
    await conn.execute("select lock_usage(array[%s::bigint])", [account_id])


async def lock_purged(conn: Connection, account_id: int, first_open: date) -> date | None:
    """Locks a purged account, and creates the partitions of its days. Returns the day of its purge; None if the account
    is not purged, or has a value for that day already and the day is closed."""
    await conn.execute(
        "select ensure_usage_partitions(u.rolled_up_to + 1, s.purged_at::date) from storage_account s"
        " join account_usage u on u.account_id = s.id where s.id = %s and s.purged_at is not null",
        [account_id],
    )
    await lock_account(conn, account_id)
    cursor = await conn.execute(
        "select s.purged_at::date from storage_account s join account_usage u on u.account_id = s.id"
        " where s.id = %(id)s and (s.purged_at::date >= %(open)s or u.rolled_up_to < s.purged_at::date)",
        {"id": account_id, "open": first_open},
    )
    row = await cursor.fetchone()
    return row[0] if row else None


# Every writer of samples holds the lock of their region, so the rows that are missing are still missing when they are
# inserted. ON CONFLICT would write half as much again to the log.
_STORE: LiteralString = """
with staged as materialized (
    select distinct account_id, sampled_at, bytes, objects from usage_staged
), known as materialized (
    select g.*, u.bytes as old_bytes, u.objects as old_objects
    from staged g left join lateral (
        select u.bytes, u.objects from usage_sample u
        where u.account_id = g.account_id and u.sampled_at = g.sampled_at
            and u.sampled_at between %(first)s and %(last)s offset 0
    ) u on true
), added as (
    insert into usage_sample (account_id, sampled_at, bytes, objects)
    select account_id, sampled_at, bytes, objects from known where old_bytes is null order by account_id, sampled_at
    returning account_id, sampled_at
), corrected as (
    update usage_sample u set bytes = k.bytes, objects = k.objects from known k
    where u.account_id = k.account_id and u.sampled_at = k.sampled_at
        and u.sampled_at between %(first)s and %(last)s and (k.old_bytes <> k.bytes
        or k.old_bytes = k.bytes and k.objects is not null and k.old_objects is distinct from k.objects)
    returning u.account_id, u.sampled_at
), changed as (
    select * from added union all select * from corrected
), touched as (
    insert into usage_touched select distinct account_id, sampled_at::date from changed order by 1, 2
)
select count(*) from changed
"""


async def store(conn: Connection, times: Times) -> int:
    """Moves the staged samples, which are of these times, to usage_sample; returns how many are new or have another
    value than before.

    Only the days of those are rolled up; they are put into the temporary table usage_touched. Objects belong to their
    bytes: other bytes without objects set the objects to unknown, the same bytes keep them.
    """
    await _empty_touched(conn)
    cursor = await conn.execute(_STORE, times._asdict(), prepare=False)
    (changed,) = await one_row(cursor)
    await conn.execute("analyze usage_touched")
    return changed


async def touch(conn: Connection, account_id: int, day: date) -> None:
    """Makes a day of an account the only touched one."""
    await _empty_touched(conn)
    await conn.execute("insert into usage_touched (account_id, day) values (%s, %s)", [account_id, day])


async def _empty_touched(conn: Connection) -> None:
    await conn.execute(
        "create temp table if not exists usage_touched"
        " (account_id bigint not null, day date not null) on commit delete rows"
    )
    await conn.execute("delete from usage_touched")


_AFFECTED_DAYS: LiteralString = """
with spanned as (
    insert into usage_span
    select s.id, f.first_day, coalesce(n.day, greatest(t.last_day, u.rolled_up_to)), coalesce(
            (select d.closing from daily_usage d where d.account_id = s.id and d.day = f.first_day - 1), 0),
        u.used, s.created_at, s.purged_at
    from (
        select account_id, min(day) as first_day, max(day) as last_day from usage_touched group by account_id
    ) t
    join storage_account s on s.id = t.account_id
    join account_usage u on u.account_id = t.account_id
    cross join lateral (select least(t.first_day, u.rolled_up_to + 1) as first_day offset 0) f
    left join lateral (
        select d.day from daily_usage d
        where d.account_id = s.id and d.day > t.last_day and d.day <= u.rolled_up_to and d.samples > 0
        order by d.day limit 1
    ) n on true
    returning first_day, last_day
)
select (select count(distinct account_id) from usage_touched), (select count(*) from usage_touched),
    min(first_day)::timestamptz, max(last_day + 1)::timestamptz
from spanned having count(*) > 0
"""


async def affected_days(conn: Connection) -> Affected | None:
    """Puts the days that may change, per account, into the temporary table usage_span; None if there are none.

    A span starts with the first touched day, or with the first day that has no value yet. It ends with the first day
    after the last touched one that has samples of its own: what holds at its midnight may change. `opening` is the
    closing value of the day before it, `used` the use that the totals include.
    """
    await conn.execute(
        "create temp table if not exists usage_span"
        " (account_id bigint not null, first_day date not null, last_day date not null, opening bigint not null,"
        " used bigint not null, begins timestamptz not null, ends timestamptz) on commit delete rows"
    )
    await conn.execute("delete from usage_span")
    cursor = await conn.execute(_AFFECTED_DAYS, prepare=False)
    row = await cursor.fetchone()
    await conn.execute("analyze usage_span")
    return Affected(row[0], row[1], Times(*row[2:])) if row else None


_MICROSECONDS: LiteralString = "1000000 * extract(epoch from"
"""Exact: of PostgreSQL's `extract` the result is numeric."""

_ROLLUP: LiteralString = f"""
with reading as (
    select w.account_id, w.begins, w.ends, u.sampled_at::date as day, u.sampled_at, u.bytes,
        lead(u.sampled_at, 1, (u.sampled_at::date + 1)::timestamptz)
            over (partition by w.account_id, u.sampled_at::date order by u.sampled_at) as until
    from usage_span w cross join lateral (
        select u.sampled_at, u.bytes from usage_sample u
        where u.account_id = w.account_id and u.sampled_at >= w.first_day and u.sampled_at < w.last_day + 1
            and u.sampled_at between %(first)s and %(last)s
        offset 0
    ) u
), measured as materialized (
    select account_id, day, min(sampled_at) as first_at,
        sum(bytes * greatest(0, {_MICROSECONDS} least(until, ends) - greatest(sampled_at, begins)))) as byte_time,
        (array_agg(bytes order by sampled_at desc))[1] as closing, count(*)::integer as samples
    from reading group by account_id, day
), known as (
    select account_id, day, first_at, byte_time, closing, samples from measured
    union all
    select account_id, first_day - 1, null, null, opening, null from usage_span
), following as (
    select k.*, w.begins, w.ends,
        lag(k.closing) over days as opening,
        lead(k.day, 1, w.last_day + 1) over days - k.day - 1 as gap
    from known k join usage_span w using (account_id)
    window days as (partition by k.account_id order by k.day)
)
insert into usage_rollup (account_id, day, usage, closing, samples)
select account_id, day, round_half_away(byte_time + opening
        * greatest(0, {_MICROSECONDS} least(first_at, ends) - greatest(day::timestamptz, begins))), 86400000000),
    closing, samples
from following where samples is not null
union all
select account_id, c.day, case when c.day + 1 <= ends is not false then closing else round_half_away(
        closing * greatest(0, {_MICROSECONDS} ends - c.day::timestamptz)), 86400000000) end,
    closing, 0
from following cross join lateral (select day + step as day from generate_series(1, gap) step) c
"""


async def roll_up(conn: Connection, times: Times) -> tuple[date, date] | None:
    """Computes the daily values of the spans, which are within these times, into the temporary table usage_rollup.
    Returns its first and last day.

    A value is the mean over the whole day. A sample holds until the next one or the end of the day, and what held at
    the end of the day before holds until the first one. Before an account was created and since it was purged, nothing
    is stored. Each sample of a day is weighted with the microseconds for which it held, so the sum is exact.
    """
    await conn.execute(
        "create temp table if not exists usage_rollup"
        " (account_id bigint not null, day date not null, usage bigint not null, closing bigint not null,"
        " samples integer not null) on commit delete rows"
    )
    await conn.execute("delete from usage_rollup")
    await conn.execute(_ROLLUP, times._asdict(), prepare=False)
    await conn.execute("analyze usage_rollup")
    first, last = await one_row(await conn.execute("select min(day), max(day) from usage_rollup"))
    return (first, last) if first else None

"""Consistency checks of `tonnage doctor`: usage."""

from datetime import date
from typing import LiteralString

from tonnage.access.checks import Check, Checking, compare
from tonnage.db import Connection


async def account_used(conn: Connection) -> Check:
    """An account's last known use is the closing value of its last day; purged accounts use nothing."""
    return await compare(
        conn,
        "storage accounts: used",
        """
        select s.id, u.used, case when s.purged_at is not null then 0 else coalesce(d.closing, 0) end
        from storage_account s left join account_usage u on u.account_id = s.id
        left join daily_usage d on d.account_id = s.id and d.day = u.rolled_up_to
        """,
    )


async def copied(conn: Connection) -> Check:
    """Every account has its row of measured values, with its partner, its purge and, until then, its region."""
    return await compare(
        conn,
        "storage accounts: measured values",
        """
        select coalesce(s.id, u.account_id),
            (u.partner_id, u.purged_at, case when u.purged_at is null then u.region_id end),
            (s.partner_id, s.purged_at, case when s.purged_at is null then s.region_id end)
        from storage_account s full join account_usage u on u.account_id = s.id
        """,
    )


async def dense(conn: Connection) -> Check:
    """An account has a daily value for each day from its first to the last one rolled up, and for no other."""
    return await compare(
        conn,
        "storage accounts: days with a daily value",
        """
        select coalesce(s.id, d.account_id),
            case when u.rolled_up_to >= s.created_at::date
                then s.created_at::date || ' to ' || u.rolled_up_to || ': '
                    || u.rolled_up_to - s.created_at::date + 1 end,
            d.first || ' to ' || d.last || ': ' || d.days
        from storage_account s join account_usage u on u.account_id = s.id full join (
            select account_id, min(day) as first, max(day) as last, count(*) as days from daily_usage
            group by account_id
        ) d on d.account_id = s.id
        """,
    )


_MEASURED: LiteralString = """
    select s.id || ' ' || m.day, d.stored, m.recomputed
    from (select id, created_at, purged_at from storage_account order by random() limit 10000) s
    cross join usage_retention r
    cross join lateral (
        select e.day, (
            round_half_away(sum((e.bytes - e.before) * greatest(0, 1000000 * extract(epoch from
                    least((e.day + 1)::timestamptz, s.purged_at) - greatest(e.sampled_at, s.created_at))))
                + max(e.opening) * greatest(0, 1000000 * extract(epoch from
                    least((e.day + 1)::timestamptz, s.purged_at) - greatest(e.day::timestamptz, s.created_at))),
                86400000000)::bigint,
            (array_agg(e.bytes order by e.sampled_at desc))[1], count(*)::integer) as recomputed
        from (
            select u.*, o.opening,
                lag(u.bytes, 1, o.opening) over (partition by u.day order by u.sampled_at) as before
            from (
                select sampled_at, bytes, sampled_at::date as day from usage_sample
                where account_id = s.id and sampled_at >= r.readings_closed_before
            ) u cross join lateral (
                select coalesce((
                    select d.closing from daily_usage d where d.account_id = s.id and d.day = u.day - 1
                ), 0) as opening
            ) o
        ) e
        group by e.day
        offset 0
    ) m
    -- Not to be joined by reading all of the years: a look at each day's partition.
    left join lateral (
        select (d.usage, d.closing, d.samples) as stored from daily_usage d
        where d.account_id = s.id and d.day = m.day offset 0
    ) d on true
"""


async def measured(conn: Connection) -> Check:
    """An open day has the value computed from its raw samples.

    All samples of a million accounts would take an hour to read: of that many, each run checks a random subset. Here a
    sample counts as a change: the difference to the one before it, for the rest of the day.
    """
    return await compare(
        conn,
        "daily usage: days with samples, up to 10000 accounts",
        _MEASURED,
    )


async def partner_days(conn: Connection) -> Check:
    """A partner's use of a day is the sum of its accounts' daily values. Checks a random subset of many partners, as
    for samples.

    Each account's days are looked up separately: without statistics, as after a restore, the planner would read all
    days of all years for every partner.
    """
    return await compare(
        conn,
        "partners: daily usage, up to 1000 partners",
        """
        select p.id || ' ' || b.day, coalesce(b.stored, 0), coalesce(b.recomputed, 0)
        from (select id from partner order by random() limit 1000) p
        cross join lateral (
            select day, u.usage as stored, d.usage as recomputed
            from (select day, usage from partner_usage where partner_id = p.id) u
            full join (
                select d.day, sum(d.usage) as usage
                from storage_account s cross join lateral (
                    select day, usage from daily_usage where account_id = s.id offset 0
                ) d
                where s.partner_id = p.id group by d.day
            ) d using (day)
            offset 0
        ) b
        """,
    )


async def partitions(conn: Connection, today: date) -> Check:
    """The partitions of this month and the next three exist. The job that creates them has a day to do so."""
    return await compare(
        conn,
        "daily usage: partitions of the coming months",
        """
        select to_char(month, 'YYYY-MM'), case when exists (
                select from pg_inherits where inhparent = 'daily_usage'::regclass
                    and inhrelid = to_regclass('daily_usage_' || to_char(month, 'YYYY_MM'))
            ) then 'there' end, 'there'
        from generate_series(
            date_trunc('month', %s::timestamp), %s::date - interval '1 day' + interval '3 months',
            interval '1 month') month
        """,
        [today, today],
    )


ALL: tuple[Checking, ...] = (account_used, copied, dense, measured, partner_days)
"""Without `partitions`, which needs the present day."""

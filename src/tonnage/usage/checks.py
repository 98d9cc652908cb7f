"""Consistency checks of `tonnage doctor`: usage."""

from datetime import date

from tonnage.access.checks import Check, Checking, compare
from tonnage.db import Connection


async def account_used(conn: Connection) -> Check:
    """An account's last known use is the closing value of its last day; purged accounts use nothing."""
    return await compare(
        conn,
        "storage accounts: used",
        """
        select s.id, s.used, case when s.purged_at is not null then 0 else coalesce(d.closing, 0) end
        from storage_account s left join daily_usage d on d.account_id = s.id and d.day = s.rolled_up_to
        """,
    )


async def dense(conn: Connection) -> Check:
    """An account has a daily value for each day from its first to the last one rolled up, and for no other."""
    return await compare(
        conn,
        "storage accounts: days with a daily value",
        """
        select coalesce(s.id, d.account_id),
            case when s.rolled_up_to >= s.created_at::date
                then s.created_at::date || ' to ' || s.rolled_up_to || ': '
                    || s.rolled_up_to - s.created_at::date + 1 end,
            d.first || ' to ' || d.last || ': ' || d.days
        from storage_account s full join (
            select account_id, min(day) as first, max(day) as last, count(*) as days from daily_usage
            group by account_id
        ) d on d.account_id = s.id
        """,
    )


async def measured(conn: Connection) -> Check:
    """A day whose raw samples are still kept has the value computed from them.

    All samples of a million accounts would take an hour to read: of that many, each run checks a random subset.
    """
    return await compare(
        conn,
        "daily usage: days with samples, up to 10000 accounts",
        """
        select s.id || ' ' || m.day, d.stored, m.recomputed
        from (select id from storage_account order by random() limit 10000) s
        cross join lateral (
            select u.sampled_at::date as day, (
                    round_half_away(sum(u.bytes), count(*))::bigint,
                    (array_agg(u.bytes order by u.sampled_at desc))[1], count(*)::integer) as recomputed
            from usage_sample u where u.account_id = s.id group by 1 offset 0
        ) m
        -- Not to be joined by reading all of the years: a look at each day's partition.
        left join lateral (
            select (d.usage, d.closing, d.samples) as stored from daily_usage d
            where d.account_id = s.id and d.day = m.day offset 0
        ) d on true
        """,
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


ALL: tuple[Checking, ...] = (account_used, dense, measured, partner_days)
"""Without `partitions`, which needs the present day."""

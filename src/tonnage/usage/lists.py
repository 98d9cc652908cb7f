"""SQL of daily use for pages and charts: of partners, of accounts, and of the partners that changed most."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import LiteralString, NamedTuple
from uuid import UUID

from tonnage.db import Connection, one_row
from tonnage.money import round_half_away
from tonnage.usage.period import Period
from tonnage.usage.top_movers import COMPARED_DAYS, FEW_PARTNERS, MOST_SHOWN, TopMover

TREND_DAYS = 30

# A purged account keeps its last daily value until the day of its purge; its `used` is 0. Of other accounts the
# last known use stands in for days after rolled_up_to. OFFSET keeps the planner from reading all accounts each time.
DAYS: LiteralString = """
    select day, sum(usage) as usage
    from (
        select u.day, u.usage from partner_usage u
        where u.partner_id = owned.partner_id and u.day between %(first)s and least(%(last)s::date, %(today)s::date)
        union all
        select c.since + n, c.usage
        from (
            select greatest(m.rolled_up_to + 1, %(first)s::date) as since,
                least(m.purged_at::date, %(last)s::date, %(today)s::date) as until,
                sum(case when m.purged_at is null then m.used else (
                    select d.closing from daily_usage d
                    where d.account_id = m.account_id and d.day = m.rolled_up_to) end) as usage
            from account_usage m
            where m.partner_id = owned.partner_id and m.rolled_up_to < least(%(last)s::date, %(today)s::date)
                and (m.purged_at is null and m.used > 0
                    or m.purged_at::date >= %(first)s and m.purged_at::date > m.rolled_up_to)
            group by 1, 2
            offset 0
        ) c cross join lateral generate_series(0, c.until - c.since) n
    ) known
    group by day"""
"""For a LATERAL after rows `owned (partner_id)`: use on the days of a period; days without any may be missing.

The database keeps the sums of the accounts' daily values; the values carried forward after these are added here.
"""


class PartnerDay(NamedTuple):
    """A day of a partner, UTC; all in bytes, whole numbers."""

    day: date
    usage: Decimal
    allocated: int
    """At the end of the day; 0 is pay-per-use."""
    excess: Decimal
    """Use beyond the allocation; the whole use if pay-per-use."""


async def daily_of_partner(
    conn: Connection, scope: UUID | None, partner_id: UUID, period: Period, today: date
) -> list[PartnerDay]:
    """The days of the period, in order, from the partner's first one to today."""
    cursor = await conn.execute(
        f"""
        with owned as (
            select p.id as partner_id, o.created_at::date as born from partner p join organisation o on o.id = p.id
            where p.id = %(partner)s and p.closed_at is null
                and (%(scope)s::uuid is null or %(scope)s in (p.id, p.distributor_id))
        ), terms as (
            select t.allocated_capacity, t.valid_from::date as since,
                lead(t.valid_from::date, 1, 'infinity') over (order by t.valid_from, t.id) as until
            from owned join partner_terms t using (partner_id)
        ), days as (
            select d.* from owned cross join lateral ({DAYS}) d
        )
        select c.day, u.usage, a.allocated, greatest(0, u.usage - a.allocated)
        from owned
        cross join lateral (
            select greatest(born, %(first)s::date) + n as day
            from generate_series(0, least(%(last)s::date, %(today)s::date) - greatest(born, %(first)s::date)) n
        ) c
        join terms t on c.day >= t.since and c.day < t.until
        left join days on days.day = c.day
        cross join lateral (select coalesce(days.usage, 0) as usage) u
        cross join lateral (select effective_capacity(t.allocated_capacity, (
            select max(v.capacity) from capacity_override v
            where v.partner_id = owned.partner_id and c.day between v.first_day and v.last_day)) as allocated) a
        order by c.day
        """,
        {"scope": scope, "partner": partner_id, **_days(period, today)},
    )
    return [PartnerDay(*row) for row in await cursor.fetchall()]


def mean(amounts: Sequence[Decimal]) -> Decimal | None:
    """The mean of whole numbers, rounded to a whole number; None without numbers."""
    total = sum(map(int, amounts))  # not as Decimal, whose precision is 28 digits
    return round_half_away(Fraction(total, len(amounts))) if amounts else None


async def trends(
    conn: Connection, scope: UUID | None, partner_ids: Sequence[UUID], today: date
) -> dict[UUID, list[float]]:
    """Use on each of the last TREND_DAYS days, today last, bytes: for charts, so not exact."""
    first = today - timedelta(days=TREND_DAYS - 1)
    cursor = await conn.execute(
        f"""
        with owned as materialized (
            select p.id as partner_id from partner p
            where p.id = any(%(ids)s) and (%(scope)s::uuid is null or %(scope)s in (p.id, p.distributor_id))
        )
        select owned.partner_id, (
            select array_agg(coalesce(d.usage, 0)::float8 order by n)
            from generate_series(0, %(today)s::date - %(first)s::date) n
            left join ({DAYS}) d on d.day = %(first)s::date + n)
        from owned
        """,
        {"scope": scope, "ids": list(partner_ids), **_days(Period(first, today), today)},
    )
    return dict(await cursor.fetchall())


def _days(period: Period, today: date) -> dict[str, object]:
    return {"first": period.first, "last": period.last, "today": today}


class AccountDay(NamedTuple):
    """A day of an account, UTC, in bytes. Traffic is None where there was none or it is not counted."""

    day: date
    usage: int
    allocated: int
    """At the end of the day; 0 is pay-per-use."""
    sent: int | None
    """To its clients: egress."""
    received: int | None
    requests: int | None


async def daily_of_account(
    conn: Connection, scope: UUID | None, account_id: int, period: Period, today: date
) -> list[AccountDay]:
    """The days of the period, in order, from the account's first one to today; none for a purged account."""
    cursor = await conn.execute(
        """
        with s as (
            select s.id, s.created_at::date as born, m.rolled_up_to, m.used
            from storage_account s join partner p on p.id = s.partner_id join account_usage m on m.account_id = s.id
            where s.id = %(account)s and s.purged_at is null
                and (%(scope)s::uuid is null or %(scope)s in (p.id, p.distributor_id))
        ), terms as (
            select t.allocated_capacity, t.valid_from::date as since,
                lead(t.valid_from::date, 1, 'infinity') over (order by t.valid_from, t.id) as until
            from s join account_terms t on t.account_id = s.id
        )
        select c.day, case when c.day > s.rolled_up_to then s.used else coalesce(u.usage, 0) end,
            effective_capacity(t.allocated_capacity, (
                select max(v.capacity) from capacity_override v
                where v.account_id = s.id and c.day between v.first_day and v.last_day)),
            f.sent, f.received, f.requests
        from s
        cross join lateral (
            select greatest(s.born, %(first)s::date) + n as day
            from generate_series(0, least(%(last)s::date, %(today)s::date) - greatest(s.born, %(first)s::date)) n
        ) c
        join terms t on c.day >= t.since and c.day < t.until
        left join daily_usage u on u.account_id = s.id and u.day = c.day and u.day between %(first)s and %(last)s
        left join daily_traffic f on f.account_id = s.id and f.day = c.day
        order by c.day
        """,
        {"scope": scope, "account": account_id, "first": period.first, "last": period.last, "today": today},
    )
    return [AccountDay(*row) for row in await cursor.fetchall()]


async def account_trends(
    conn: Connection, scope: UUID | None, account_ids: Sequence[int], today: date
) -> dict[int, list[float]]:
    """Use on each of the last TREND_DAYS days, today last, bytes: for charts, so not exact."""
    cursor = await conn.execute(
        """
        select s.id, array_agg((
            case when c.day > m.rolled_up_to then m.used else coalesce(u.usage, 0) end)::float8 order by c.day)
        from storage_account s
        join account_usage m on m.account_id = s.id
        join partner p on p.id = s.partner_id
        cross join lateral (
            select %(first)s::date + n as day from generate_series(0, %(today)s::date - %(first)s::date) n
        ) c
        left join daily_usage u on u.account_id = s.id and u.day = c.day and u.day between %(first)s and %(today)s
        where s.id = any(%(ids)s) and s.purged_at is null
            and (%(scope)s::uuid is null or %(scope)s in (p.id, p.distributor_id))
        group by s.id
        """,
        {
            "scope": scope,
            "ids": list(account_ids),
            "first": today - timedelta(days=TREND_DAYS - 1),
            "today": today,
        },
    )
    return dict(await cursor.fetchall())


async def top_movers(conn: Connection, today: date, scope: UUID | None = None) -> list[TopMover]:
    """The MOST_SHOWN partners whose last known use differs most from that of the day COMPARED_DAYS ago; the largest
    change first, up or down. Of the partners of a distributor, or of all for the operator (None).

    An account without a sample since that day has no change: its value is carried forward. Takes half a second for
    120,000 partners with two months of use, so the page of such an operator loads it in a second request.
    """
    of_scope: LiteralString = "and distributor_id = %(scope)s" if scope else ""
    of_its: LiteralString = (
        "and partner_id in (select id from partner where distributor_id = %(scope)s)" if scope else ""
    )
    cursor = await conn.execute(
        f"""
        with changed as (
            select p.id, p.seq, p.distributor_id, p.used as now, coalesce(u.usage, 0) + coalesce(c.usage, 0) as before
            from partner p
            left join partner_usage u on u.partner_id = p.id and u.day = %(then)s
            left join (
                select partner_id, sum(used) as usage from account_usage
                where rolled_up_to < %(then)s and purged_at is null and used > 0 {of_its}
                group by partner_id
            ) c on c.partner_id = p.id
            where p.closed_at is null {of_scope}
        ), most as (
            select * from changed where now <> before order by abs(now - before)::float8 desc, seq limit %(limit)s
        )
        select m.id, o.name, d.name, m.before, m.now
        from most m join organisation o on o.id = m.id join organisation d on d.id = m.distributor_id
        order by abs(m.now - m.before) desc, m.seq
        """,
        {"then": today - timedelta(days=COMPARED_DAYS), "limit": MOST_SHOWN, "scope": scope},
    )
    return [TopMover(*row) for row in await cursor.fetchall()]


async def has_few_partners(conn: Connection, scope: UUID | None = None) -> bool:
    """Whether a distributor, or all together (None), have at most FEW_PARTNERS partners. Stops counting there."""
    of_scope: LiteralString = "and distributor_id = %(scope)s" if scope else ""
    cursor = await conn.execute(
        f"select count(*) from (select from partner where closed_at is null {of_scope} limit %(most)s) p",
        {"scope": scope, "most": FEW_PARTNERS + 1},
    )
    return (await one_row(cursor))[0] <= FEW_PARTNERS

"""SQL of accounts' usage by the day, as charts and trends show it.

`scope` is the account's partner or its distributor; None is the operator. A stranger's account has no days.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import NamedTuple
from uuid import UUID

from tonnage.db import Connection
from tonnage.usage.partner_queries import TREND_DAYS
from tonnage.usage.period import Period


class AccountDay(NamedTuple):
    """A day of an account, UTC, in bytes. Traffic is None where there was none or nobody counts it."""

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
    """The days of the period, in order, from the account's first one to today, of a living account."""
    cursor = await conn.execute(
        """
        with s as (
            select s.id, s.created_at::date as born, s.folded_to, s.used
            from storage_account s join partner p on p.id = s.partner_id
            where s.id = %(account)s and s.purged_at is null
                and (%(scope)s::uuid is null or %(scope)s in (p.id, p.distributor_id))
        ), terms as (
            select t.allocated_capacity, t.valid_from::date as since,
                lead(t.valid_from::date, 1, 'infinity') over (order by t.valid_from, t.id) as until
            from s join account_terms t on t.account_id = s.id
        )
        select c.day, case when c.day > s.folded_to then s.used else coalesce(u.usage, 0) end, t.allocated_capacity,
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
    """Use on each of the last TREND_DAYS days, today last, bytes: for the eye, so no exact numbers."""
    cursor = await conn.execute(
        """
        select s.id, array_agg((
            case when c.day > s.folded_to then s.used else coalesce(u.usage, 0) end)::float8 order by c.day)
        from storage_account s
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

"""SQL of usage reports, and of corrections of closed days. PostgreSQL builds the JSON text of a report, one account per
row, so that reports of any size can be streamed.

The text is concatenated: numbers and days need no escaping, and to_json escapes names.
"""

from datetime import date
from typing import LiteralString
from uuid import UUID

from tonnage.db import Connection, ListQuery
from tonnage.usage import rollup_queries
from tonnage.usage.correction import AccountDays, Correction
from tonnage.usage.period import Period

# An account and its days in the period. The days of a purged account end with the day of its purge; a purged account
# without a day in the period is left out.
_ACCOUNT: LiteralString = """
    s.seq, s.id, s.name, u.rolled_up_to, u.used, s.purged_at,
    case when s.purged_at is not null then 0 else effective_capacity(s.allocated_capacity,
        case when s.override_until > %(today)s::date then s.override_capacity end) end as present_capacity,
    greatest(s.created_at::date, %(first)s::date) as first_day,
    least(s.purged_at::date, %(last)s::date, %(today)s::date) as last_day"""

_REPORTED: LiteralString = """
    (s.purged_at is null or (s.purged_at::date >= %(first)s and s.created_at::date <= %(last)s))"""

REPORTED_ACCOUNT: LiteralString = f"""
    storage_account s join partner p on p.id = s.partner_id join account_usage u on u.account_id = s.id
    where s.id = %(account)s and p.id = %(partner)s and %(scope)s in (p.id, p.distributor_id)
        and p.closed_at is null and {_REPORTED}"""
"""The one row `s` of the account, if the partner's report of the period would include it."""

# `e` is a range of days under the same terms and the same override. A day has the terms of its end, so of several
# changes in a day the last one counts. A range takes one probe into each and one scan of the daily values, however many
# points it has. After rolled_up_to there is no sample yet, so the last known use is reported. Of a purged account the
# column `used` is 0, so its last daily value is used.
_POINTS: LiteralString = """
    select string_agg(concat_ws(',', (
            select string_agg('{"date":"' || d.day || e.middle || d.usage || '}', ',')
            from (
                select day, usage from daily_usage
                where account_id = s.id and day between e.first_day and least(e.last_day, s.rolled_up_to)
                    and day between %(first)s and %(last)s
                order by day
            ) d
        ), case when e.last_day > s.rolled_up_to then (
            select string_agg('{"date":"' || e.last_day - back || e.middle || u.used || '}', ',')
            from (
                select case when s.purged_at is null then s.used else coalesce((
                    select closing from daily_usage where account_id = s.id and day = s.rolled_up_to), 0) end as used
                offset 0
            ) u, generate_series(e.last_day - greatest(e.first_day, s.rolled_up_to + 1), 0, -1) back
        ) end), ',' order by e.first_day) as points
    from (
        select greatest(t.since, s.first_day) as first_day, least(t.until - 1, s.last_day) as last_day,
            '","allocated_capacity":' || t.allocated_capacity || ',"usage":' as middle
        from (
            select b.since, lead(b.since, 1, 'infinity') over (order by b.since) as until,
                effective_capacity(of_terms.allocated_capacity, (
                    select max(capacity) from capacity_override
                    where account_id = s.id and b.since between first_day and last_day)) as allocated_capacity
            from (
                select valid_from::date from account_terms where account_id = s.id
                union
                select unnest(array[first_day, last_day + 1]) from capacity_override
                where account_id = s.id and first_day <= last_day
            ) b (since)
            cross join lateral (
                select allocated_capacity from account_terms
                where account_id = s.id and valid_from < b.since + 1 order by valid_from desc, id desc limit 1
            ) of_terms
        ) t
        where t.since < t.until and t.since <= s.last_day and t.until > s.first_day
        offset 0
    ) e
    where e.first_day <= e.last_day"""

_ELEMENT: LiteralString = """('{"client_id":"' || s.id || '","name":' || to_json(s.name)
    || ',"allocated_capacity":' || s.present_capacity
    || ',"daily_usage":[' || coalesce(p.points, '') || ']}')::json"""


def usage_of_partner(scope: UUID, partner_id: UUID, period: Period, today: date) -> ListQuery:
    """The usage of a partner's accounts, in order of creation, as an api.ClientUsage each.

    The accounts are sorted before their days are looked up: LIMIT, even without a number, keeps the planner from
    sorting the finished texts, which would delay the first row until the last one is built.
    """
    return ListQuery(
        f"""
        select coalesce(s.seq, 0), case when s.id is not null then {_ELEMENT} end
        from (
            select {_ACCOUNT}
            from partner p
            left join storage_account s
                on s.partner_id = p.id and {_REPORTED} and (%(after)s::bigint is null or s.seq > %(after)s)
            left join account_usage u on u.account_id = s.id
            where p.id = %(partner)s and %(scope)s in (p.id, p.distributor_id) and p.closed_at is null
            order by s.seq limit %(limit)s
        ) s
        left join lateral ({_POINTS}) p on true
        order by s.seq
        """,
        {"scope": scope, "partner": partner_id, **_days(period, today)},
    )


async def usage_of_account(
    conn: Connection, scope: UUID, partner_id: UUID, account_id: int, period: Period, today: date
) -> bytes | None:
    """The usage of one account as an api.ClientUsage; None where the partner's report would not include it."""
    cursor = await conn.execute(
        f"""
        select {_ELEMENT}
        from (
            select {_ACCOUNT} from {REPORTED_ACCOUNT} offset 0
        ) s
        left join lateral ({_POINTS}) p on true
        """,
        {"scope": scope, "partner": partner_id, "account": account_id, **_days(period, today)},
    )
    row = await cursor.fetchone()
    return row[0] if row else None


def _days(period: Period, today: date) -> dict[str, object]:
    return {"first": period.first, "last": period.last, "today": today}


async def lock_days(conn: Connection, account_id: int, day: date, today: date) -> AccountDays | None:
    """Locks the account's usage, after the partitions through `day` are made. None: there is no such account."""
    await conn.execute(
        "select ensure_usage_partitions(rolled_up_to + 1, least(%(day)s, %(today)s::date)) from account_usage"
        " where account_id = %(id)s",
        {"id": account_id, "day": day, "today": today},
    )
    await rollup_queries.lock_account(conn, account_id)
    cursor = await conn.execute(
        "select s.created_at::date, least(s.purged_at::date, %(today)s::date), u.rolled_up_to from account_usage u"
        " join storage_account s on s.id = u.account_id where u.account_id = %(id)s",
        {"id": account_id, "today": today},
    )
    row = await cursor.fetchone()
    return AccountDays(*row) if row else None


async def correct(conn: Connection, account_id: int, correction: Correction, stamp: str) -> bool:
    """Sets the value of the day, and with it the sum of its partner. False: it is not another one."""
    cursor = await conn.execute(
        """
        with old as (
            select d.usage from daily_usage d
            where d.account_id = %(id)s and d.day = %(day)s and d.usage <> %(usage)s for no key update
        ), corrected as (
            update daily_usage d set usage = %(usage)s from old where d.account_id = %(id)s and d.day = %(day)s
        )
        select audit(%(stamp)s, s.partner_id, 'usage.correct', s.id::text,
            jsonb_build_object('day', %(day)s::date, 'usage', old.usage),
            jsonb_build_object('day', %(day)s::date, 'usage', %(usage)s::bigint))
        from storage_account s, old where s.id = %(id)s
        """,
        {"id": account_id, "day": correction.day, "usage": correction.usage, "stamp": stamp},
    )
    return await cursor.fetchone() is not None

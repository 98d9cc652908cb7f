"""SQL of the rule about overdue statements. Lock order: statement, partner; several of a kind in order of id.

Statements are read part by part from an index of those that partners have to pay: 100,000 of one distributor, and none
else. A payment that waits for a statement's lock commits after the suspension, and defers the job that ends it.
"""

from datetime import date, datetime
from typing import LiteralString
from uuid import UUID

from tonnage.access.actor import system_stamp
from tonnage.db import Connection, one_row
from tonnage.suspensions.overdue import ResumedPart, RulePart

_UNSETTLED: LiteralString = """s.partner_id is not null and s.due_on is not null and s.number is not null
    and s.paid_on is null and s.voided_at is null and s.credits is null and (s.credited = 0 or s.credited < s.gross)
    and s.due_on < %(today)s"""
"""Whether a row `s` of statement is one of a partner that is overdue. The condition of its index, and the day."""

_PART: LiteralString = f"""
    select s.id, s.seller_id, s.partner_id, s.number, s.due_on from statement s
    where s.seller_id = %(seller)s and {_UNSETTLED} and s.id > %(after)s order by s.id limit %(most)s"""

_RULE: LiteralString = """
    select suspend_overdue_days as days, suspension_rule_since as since,
        (select min(w) from unnest(suspension_warning_days) w) as shortest,
        (select max(w) from unnest(suspension_warning_days) w) as longest, suspension_warning_days as warnings
    from seller_settings where organisation_id = %(seller)s and suspend_overdue_days > 0"""


async def sellers_with_rule(conn: Connection) -> list[UUID]:
    """The open distributors whose rule is on."""
    cursor = await conn.execute(
        """
        select s.organisation_id from seller_settings s join organisation o on o.id = s.organisation_id
        where s.suspend_overdue_days > 0 and o.kind = 'distributor' and o.closed_at is null order by 1
        """
    )
    return [seller_id for (seller_id,) in await cursor.fetchall()]


_SUSPEND: LiteralString = f"""
    with rule as ({_RULE}
    ), part as materialized ({_PART}
    ), due as (
        -- All warnings have been given, on earlier days, and the announced day has come.
        select s.id, s.partner_id, s.number, s.due_on
        from statement s join overdue_statement w on w.statement_id = s.id cross join rule
        where s.id in (select id from part) and {_UNSETTLED} and w.suspended_on is null
            and w.rule_since = rule.since and w.warned_days = rule.shortest and w.warned_on < %(today)s
            and w.suspends_on <= %(today)s and s.due_on + rule.days <= %(today)s
        order by s.id for share of s
    ), first as (
        select distinct on (partner_id) * from due order by partner_id, due_on, id
    ), old as (
        select p.* from partner p where p.id in (select partner_id from first)
            and p.distributor_id = %(seller)s and p.closed_at is null and p.suspended_at is null
        order by p.id for no key update
    ), suspended as (
        update partner p set suspended_at = %(now)s, suspension_cause = 'overdue',
            suspension_reason = 'Statement ' || first.number || ' is overdue since ' || first.due_on,
            suspension_statement_id = first.id, revision = old.revision + 1,
            suspension_overdue = jsonb_build_object('number', first.number, 'dueOn', first.due_on)
        from old join first on first.partner_id = old.id where p.id = old.id returning p.*
    ), done as (
        -- Also others of theirs whose day has come: who resumes such a partner has resumed it for all of them.
        update overdue_statement w set suspended_on = %(today)s
        from statement s where s.id = w.statement_id and s.partner_id in (select id from suspended)
            and w.suspended_on is null and w.suspends_on <= %(today)s
    ), a as (
        select audit(%(stamp)s, id, 'partner.suspend', id::text, null, jsonb_build_object(
            'reason', suspension_reason, 'cause', suspension_cause, 'statementId', suspension_statement_id,
            'statement', suspension_overdue -> 'number', 'dueOn', suspension_overdue -> 'dueOn',
            'revision', revision)) from suspended
    )
    select (select count(*) from part), (select id from part order by id desc limit 1),
        array(select id from suspended order by id) from (select count(*) from a) as audited"""


async def suspend_due(
    conn: Connection, seller_id: UUID, after: UUID, most: int, today: date, now: datetime
) -> RulePart:
    """Suspends the partners whose day has come, of the next `most` overdue statements."""
    return await _part(conn, _SUSPEND, seller_id, after, most, today, now)


_WARN: LiteralString = f"""
    with rule as ({_RULE}
    ), part as materialized ({_PART}
    ), planned as (
        select part.*, rule.since, rule.warnings,
            greatest(part.due_on + rule.days, rule.since + rule.longest, %(today)s::date + rule.shortest) as day,
            greatest(part.due_on + rule.days, rule.since + rule.longest) - %(today)s::date as days_left,
            rule.shortest, case when w.rule_since = rule.since then w.warned_days end as warned_days
        from part cross join rule left join overdue_statement w on w.statement_id = part.id
        where w.suspended_on is null
    ), due as (
        select planned.*, n.days from planned
        cross join lateral (
            select min(d) as days from unnest(warnings) d where d >= greatest(days_left, shortest)) n
        join partner p on p.id = planned.partner_id and p.suspended_at is null and p.closed_at is null
            and p.distributor_id = %(seller)s
        where n.days is not null and (warned_days is null or n.days < warned_days)
    ), written as (
        insert into overdue_statement (statement_id, rule_since, warned_days, warned_on, suspends_on)
        select id, since, days, %(today)s, day from due order by id
        on conflict (statement_id) do update set rule_since = excluded.rule_since,
            warned_days = excluded.warned_days, warned_on = excluded.warned_on, suspends_on = excluded.suspends_on
        where overdue_statement.rule_since <> excluded.rule_since
            or overdue_statement.warned_days > excluded.warned_days
        returning statement_id
    ), a as (
        select audit(%(stamp)s, due.partner_id, 'partner.warn-of-suspension', due.partner_id::text, null,
            jsonb_build_object('day', due.day, 'statement', due.number, 'statementId', due.id, 'dueOn', due.due_on))
        from due join written on written.statement_id = due.id order by due.id
    )
    select (select count(*) from part), (select id from part order by id desc limit 1),
        array(select distinct due.partner_id from due join written on written.statement_id = due.id order by 1)
    from (select count(*) from a) as audited"""


async def warn_due(conn: Connection, seller_id: UUID, after: UUID, most: int, today: date, now: datetime) -> RulePart:
    """Writes the warnings that are due and were not given yet, about the next `most` overdue statements. A warning that
    was missed is given by the next one; the day of the suspension is then no earlier than after the last."""
    return await _part(conn, _WARN, seller_id, after, most, today, now)


async def _part(
    conn: Connection, text: LiteralString, seller_id: UUID, after: UUID, most: int, today: date, now: datetime
) -> RulePart:
    cursor = await conn.execute(
        text,
        {
            "seller": seller_id,
            "after": after,
            "most": most,
            "today": today,
            "now": now,
            "stamp": system_stamp(),
        },
    )
    return RulePart(*await one_row(cursor))


async def resume_settled(conn: Connection, partner_id: UUID | None, after: UUID, most: int, today: date) -> ResumedPart:
    """Resumes the partners, or the one, that were suspended by the rule and have no overdue statement any more."""
    cursor = await conn.execute(
        f"""
        with part as materialized (
            select id from partner where suspended_at is not null and id > %(after)s
                and coalesce(id = %(partner)s, true) order by id limit %(most)s
        ), old as (
            select p.* from partner p where p.id in (select id from part) and p.suspension_cause = 'overdue'
            order by p.id for no key update
        ), p as (
            update partner p set suspended_at = null, suspension_reason = null, suspension_cause = null,
                suspension_statement_id = null, suspension_overdue = null, revision = old.revision + 1
            from old where p.id = old.id and not exists (
                select from statement s
                where s.partner_id = old.id and s.seller_id = old.distributor_id and {_UNSETTLED})
            returning p.id, p.revision
        ), a as (
            select audit(%(stamp)s, p.id, 'partner.resume', p.id::text, jsonb_build_object(
                'reason', old.suspension_reason, 'cause', old.suspension_cause),
                jsonb_build_object('cause', 'settled', 'revision', p.revision)) from p join old on old.id = p.id
        )
        select (select count(*) from part), (select id from part order by id desc limit 1),
            array(select id from p order by id) from (select count(*) from a) as audited
        """,
        {"partner": partner_id, "after": after, "most": most, "today": today, "stamp": system_stamp()},
    )
    return ResumedPart(*await one_row(cursor))

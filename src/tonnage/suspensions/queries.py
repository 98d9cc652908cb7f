"""SQL of suspensions of partners. `scope` is the distributor that asks, or for reading the partner itself.

A partner's row is locked, so a storage account that is created at the same moment is either there before, or refused.
"""

from datetime import datetime
from typing import LiteralString, NamedTuple
from uuid import UUID

from tonnage.db import Connection
from tonnage.db.rendered import TIMESTAMP_FORMAT, Versioned
from tonnage.suspensions.suspension import Cause, PartnerSuspension

_SUSPENSION: LiteralString = f"""json_strip_nulls(json_build_object(
    'partnerId', p.id, 'suspended', p.suspended_at is not null, 'reason', p.suspension_reason,
    'cause', p.suspension_cause, 'statementId', p.suspension_statement_id,
    'since', to_char(p.suspended_at, {TIMESTAMP_FORMAT})))"""
"""The JSON of a row `p` of partner."""


async def suspension_of(conn: Connection, scope: UUID | None, partner_id: UUID) -> PartnerSuspension | None:
    """None: there is no such partner, or it is neither `scope` nor its partner (None: any)."""
    cursor = await conn.execute(
        """
        select o.name, p.suspended_at, p.suspension_cause, p.suspension_reason, p.suspension_statement_id
        from partner p join organisation o on o.id = p.id
        where p.id = %(partner)s and (%(scope)s::uuid is null or %(scope)s in (p.id, p.distributor_id))
            and p.closed_at is null
        """,
        {"partner": partner_id, "scope": scope},
    )
    row = await cursor.fetchone()
    return PartnerSuspension(row[0], row[1], row[2] and Cause(row[2]), *row[3:]) if row else None


async def rendered_suspension(conn: Connection, scope: UUID, partner_id: UUID) -> Versioned | None:
    """The same as JSON, in the revision of the partner."""
    cursor = await conn.execute(
        f"""
        select {_SUSPENSION}, p.revision from partner p
        where p.id = %(partner)s and %(scope)s in (p.id, p.distributor_id) and p.closed_at is null
        """,
        {"partner": partner_id, "scope": scope},
    )
    row = await cursor.fetchone()
    return Versioned(*row) if row else None


_HELD: LiteralString = """
    select p.* from partner p
    where p.id = %(partner)s and p.distributor_id = %(scope)s and p.closed_at is null
        and coalesce(p.revision = %(revision)s, true)
    for no key update"""


class ChangedSuspension(NamedTuple):
    """The result of a change."""

    stale: bool
    """The reason is neither as expected nor as it is to be, so nothing was changed."""
    began_or_ended: bool
    """Whether the storage accounts have to be suspended or resumed."""
    partner: Versioned


_SUSPEND: LiteralString = f"""
    with old as ({_HELD}
    ), stale as (
        select coalesce(coalesce(suspension_reason, '') not in (%(expected)s::text, %(reason)s::text), false)
            as is_stale from old
    ), changed as (
        update partner p set suspended_at = coalesce(old.suspended_at, %(now)s), suspension_reason = %(reason)s,
            suspension_cause = 'person', suspension_statement_id = null, suspension_overdue = null,
            revision = old.revision + 1
        from old, stale where p.id = old.id and not stale.is_stale
            and (old.suspension_reason, old.suspension_cause) is distinct from (%(reason)s::text, 'person')
        returning p.*
    ), p as (
        select * from changed union all select * from old where not exists (select from changed)
    )
    select stale.is_stale, old.suspended_at is null,
        case when not stale.is_stale then save_response(%(stamp)s, {_SUSPENSION}, p.revision) end, p.revision,
        (select audit(%(stamp)s, c.id, 'partner.suspend', c.id::text,
            case when old.suspended_at is not null then jsonb_build_object(
                'reason', old.suspension_reason, 'cause', old.suspension_cause) end,
            jsonb_build_object('reason', c.suspension_reason, 'cause', c.suspension_cause,
                'revision', c.revision)) from changed c)
    from old, stale, p"""


async def suspend_partner(
    conn: Connection,
    scope: UUID,
    partner_id: UUID,
    reason: str,
    expected: str | None,
    revision: int | None,
    now: datetime,
    stamp: str,
) -> ChangedSuspension | None:
    """None if `scope` has no such partner, or it is not in the given `revision`. One that is suspended stays so since
    its first time, for this reason, and from now on because of a person."""
    cursor = await conn.execute(
        _SUSPEND,
        {
            "partner": partner_id,
            "scope": scope,
            "reason": reason,
            "expected": expected,
            "revision": revision,
            "now": now,
            "stamp": stamp,
        },
    )
    row = await cursor.fetchone()
    return ChangedSuspension(row[0], row[1], Versioned(*row[2:4])) if row else None


async def resume_partner(
    conn: Connection, scope: UUID, partner_id: UUID, revision: int | None, stamp: str
) -> bool | None:
    """Whether it was suspended; None as above."""
    cursor = await conn.execute(
        f"""
        with old as ({_HELD}
        ), p as (
            update partner p set suspended_at = null, suspension_reason = null, suspension_cause = null,
                suspension_statement_id = null, suspension_overdue = null, revision = old.revision + 1
            from old where p.id = old.id and old.suspended_at is not null returning p.*
        ), renewed as (
            -- What the rule has announced before is announced anew: a person has decided.
            delete from overdue_statement w using statement s, p
            where s.id = w.statement_id and s.partner_id = p.id and w.suspended_on is null
        )
        select old.suspended_at is not null, save_response(%(stamp)s, null),
            (select audit(%(stamp)s, p.id, 'partner.resume', p.id::text, jsonb_build_object(
                'reason', old.suspension_reason, 'cause', old.suspension_cause),
                jsonb_build_object('cause', 'person', 'revision', p.revision)) from p)
        from old
        """,
        {"partner": partner_id, "scope": scope, "revision": revision, "stamp": stamp},
    )
    row = await cursor.fetchone()
    return row[0] if row else None

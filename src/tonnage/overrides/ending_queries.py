"""SQL that ends timed overrides, by a person or after their last day, and that reminds of their end."""

from datetime import datetime
from typing import LiteralString, NamedTuple
from uuid import UUID

from tonnage.access.actor import system_stamp
from tonnage.accounts.queries import ADDED, ADDED_BEFORE, CHANGEABLE, CLUSTER, LIMITS, POOLED
from tonnage.db import Connection
from tonnage.overrides.queries import FACTS, STALE
from tonnage.partners.queries import EFFECTIVE


class EndedOverride(NamedTuple):
    """What has to be reconciled after an override of an account or a partner has ended; nothing if there was none."""

    cluster: int | None
    """The region, if there is a cluster to which the change must be applied."""
    pool_of: UUID | None
    """The partner whose accounts' quotas may change."""
    stale: bool
    """The override is not the expected one, so nothing was changed."""


_END: LiteralString = """), present as (
        select v.* from capacity_override v, old
        where v.{0} = old.id and v.ended_at is null and v.valid_until = old.override_until
    ), ended as (
        update capacity_override v set ended_at = case when v.valid_until > %(now)s then %(now)s::timestamptz end
        from present where v.id = present.id and not {1}
        returning v.*"""

_END_OF_ACCOUNT: LiteralString = f"""
    {_END.format("account_id", STALE)}
    ), changed as (
        update storage_account s set override_capacity = null, override_until = null,
            desired_revision = s.desired_revision + 1, revision = s.revision + 1
        from old where s.id = old.id and old.override_capacity is not null and not {STALE}
        returning s.*
    ), a as (
        select audit(%(stamp)s, s.partner_id, 'account.end-override', s.id::text, (select {FACTS} from ended v),
            jsonb_build_object('revision', s.revision)) from changed s
    ), p as (
        select partner.* from partner, changed s, a where partner.id = s.partner_id for no key update of partner
    ), parent as (
        update partner set overrides_of_accounts = p.overrides_of_accounts - ({ADDED_BEFORE}) + ({ADDED}),
            allocated_to_accounts = p.allocated_to_accounts, {LIMITS}
        from p, old, changed s where partner.id = p.id
    )
    select (select {CLUSTER} from changed s), (select p.id from p where {POOLED}), {STALE},
        save_response(%(stamp)s, null)
    from old"""

_END_OF_PARTNER: LiteralString = f"""
    {_END.format("partner_id", STALE)}
    ), changed as (
        update partner p set override_capacity = null, override_until = null, revision = p.revision + 1,
            allocated_to_accounts = old.allocated_to_accounts, overrides_of_accounts = old.overrides_of_accounts,
            allocated_capacity = old.allocated_capacity, allow_overdraft = old.allow_overdraft
        from old where p.id = old.id and old.override_capacity is not null and not {STALE}
        returning p.*
    ), a as (
        select audit(%(stamp)s, p.id, 'partner.end-override', p.id::text, (select {FACTS} from ended v),
            jsonb_build_object('revision', p.revision)) from changed p
    ), k as (
        select contract.* from contract, changed p, a where contract.id = p.contract_id for no key update of contract
    ), parent as (
        update contract set reserved_capacity = k.reserved_capacity, allocated_capacity = k.allocated_capacity
                - effective_capacity(old.allocated_capacity, old.override_capacity) + {EFFECTIVE}
        from k, old, changed p where contract.id = k.id
    )
    select null, (select id from changed where account_count > 0), {STALE},
        save_response(%(stamp)s, null)
    from old"""


async def end_of_account(
    conn: Connection,
    scope: UUID,
    partner_id: UUID,
    account_id: int,
    expected: str | None,
    revision: int | None,
    now: datetime,
    stamp: str,
) -> EndedOverride | None:
    """Ends the override of an account, if it has one. None as for `grant_to_account`."""
    return await _ended(
        conn,
        f"with old as (select s.* from {CHANGEABLE} for no key update of s {_END_OF_ACCOUNT}",
        {
            "id": account_id,
            "partner": partner_id,
            "scope": scope,
            "expected": expected,
            "revision": revision,
            "now": now,
            "stamp": stamp,
        },
    )


async def end_of_partner(
    conn: Connection,
    scope: UUID,
    partner_id: UUID,
    expected: str | None,
    revision: int | None,
    now: datetime,
    stamp: str,
) -> EndedOverride | None:
    """The same for a partner. Constraint partner_overrides_of_accounts: its accounts have overrides out of it."""
    return await _ended(
        conn,
        f"""
        with old as (
            select * from partner where id = %(id)s and distributor_id = %(scope)s and closed_at is null
                and coalesce(revision = %(revision)s, true) for no key update {_END_OF_PARTNER}""",
        {"id": partner_id, "scope": scope, "expected": expected, "revision": revision, "now": now, "stamp": stamp},
    )


async def end_of_due_account(
    conn: Connection, account_id: int, before: datetime | None, now: datetime
) -> EndedOverride | None:
    """Ends the override of an account, if it runs until `before` at most. None: it has none."""
    return await _ended(
        conn,
        f"""
        with old as (
            select * from storage_account where id = %(id)s and purged_at is null
                and override_until <= coalesce(%(before)s, override_until) for no key update {_END_OF_ACCOUNT}""",
        {"id": account_id, "before": before, "expected": None, "now": now, "stamp": system_stamp()},
    )


async def end_of_due_partner(conn: Connection, partner_id: UUID, now: datetime) -> EndedOverride | None:
    """The same for a partner whose override's last day is over. Constraint as for `end_of_partner`."""
    return await _ended(
        conn,
        f"""
        with old as (
            select * from partner where id = %(id)s and override_until <= %(now)s and closed_at is null
            for no key update {_END_OF_PARTNER}""",
        {"id": partner_id, "expected": None, "now": now, "stamp": system_stamp()},
    )


async def _ended(conn: Connection, text: LiteralString, params: dict[str, object]) -> EndedOverride | None:
    row = await (await conn.execute(text, params)).fetchone()
    return EndedOverride(*row[:3]) if row else None


async def accounts_due(conn: Connection, now: datetime, most: int) -> list[int]:
    """Accounts with an override whose last day is over."""
    cursor = await conn.execute(
        "select id from storage_account where override_until <= %s order by override_until, id limit %s", [now, most]
    )
    return [account_id for (account_id,) in await cursor.fetchall()]


async def accounts_overridden(conn: Connection, partner_id: UUID) -> list[int]:
    """Accounts of a partner with an override."""
    cursor = await conn.execute(
        "select id from storage_account where partner_id = %s and override_until is not null order by id", [partner_id]
    )
    return [account_id for (account_id,) in await cursor.fetchall()]


async def partners_due(conn: Connection, now: datetime, most: int) -> list[UUID]:
    """Partners with an override whose last day is over."""
    cursor = await conn.execute(
        "select id from partner where override_until <= %s order by override_until, id limit %s", [now, most]
    )
    return [partner_id for (partner_id,) in await cursor.fetchall()]


async def remind(conn: Connection, days: int, ends_before: datetime, now: datetime, most: int) -> int:
    """Writes an entry about each override that ends before then, unless there is one about as few days already, or it
    was granted for fewer. Returns how many it wrote, at most `most`."""
    cursor = await conn.execute(
        f"""
        with due as (
            select v.* from capacity_override v
            where v.ended_at is null and v.valid_until > %(now)s and v.valid_until <= %(before)s
                and v.valid_from < v.valid_until - make_interval(days => %(days)s)
                and coalesce(v.reminded_days > %(days)s, true)
            order by v.valid_until, v.seq limit %(most)s for update
        ), reminded as (
            update capacity_override v set reminded_days = %(days)s from due where v.id = due.id returning v.*
        ), of_accounts as (
            select audit(%(stamp)s, s.partner_id, 'account.override-ending', s.id::text, null, {FACTS})
            from reminded v join storage_account s on s.id = v.account_id
        ), of_partners as (
            select audit(%(stamp)s, p.id, 'partner.override-ending', p.id::text, null, {FACTS})
            from reminded v join partner p on p.id = v.partner_id
        )
        select (select count(*) from of_accounts) + (select count(*) from of_partners)
        """,
        {"days": days, "before": ends_before, "now": now, "most": most, "stamp": system_stamp()},
    )
    row = await cursor.fetchone()
    return row[0] if row else 0

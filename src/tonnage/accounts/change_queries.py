"""SQL of changes of storage accounts. Lock order and CHECKs: see queries.py.

Nothing is changed once the purge has started.
"""

from datetime import datetime
from typing import LiteralString
from uuid import UUID

from tonnage.accounts.account import AccountChange
from tonnage.accounts.change import Changed
from tonnage.accounts.extended_queries import EXTENDED
from tonnage.accounts.queries import ADDED, ADDED_BEFORE, CHANGEABLE, CLUSTER, LIMITS, POOLED
from tonnage.db import Connection
from tonnage.db.rendered import Versioned
from tonnage.names import name_key

_CHANGE: LiteralString = f"""
    with old as (
        select s.* from {CHANGEABLE} for no key update of s
    ), stale as (
        -- Overdraft is a flag: what differs from the expected is as it is to be.
        select coalesce(
            old.name not in (%(expected_name)s::text, %(name)s::text)
            or old.allocated_capacity not in (%(expected_allocated)s::bigint, %(allocated)s::bigint), false) as is_stale
        from old
    ), new as (
        select id, coalesce(%(name)s, name) as name, coalesce(%(name_key)s, name_key) as name_key,
            coalesce(%(allocated)s::bigint, allocated_capacity) as allocated_capacity,
            coalesce(%(overdraft)s::boolean, allow_overdraft) as allow_overdraft,
            coalesce(%(allocated)s::bigint, allocated_capacity) <> allocated_capacity
                or coalesce(%(overdraft)s::boolean, allow_overdraft) <> allow_overdraft as terms_change
        from old, stale where purge_started_at is null and not stale.is_stale
    ), changed as (
        update storage_account s set name = new.name, name_key = new.name_key,
            allocated_capacity = new.allocated_capacity, allow_overdraft = new.allow_overdraft,
            terms_since = case when new.terms_change then greatest(%(now)s, s.terms_since) else s.terms_since end,
            desired_revision = s.desired_revision + 1, revision = s.revision + 1
        from new, old where s.id = new.id and (new.terms_change or (new.name, new.name_key) <> (old.name, old.name_key))
        returning s.*
    ), t as (
        insert into account_terms (account_id, valid_from, allocated_capacity, allow_overdraft)
        select s.id, s.terms_since, s.allocated_capacity, s.allow_overdraft from changed s, new where new.terms_change
    ), a as (
        select audit(%(stamp)s, s.partner_id, 'account.update', s.id::text, to_jsonb(b),
            to_jsonb(n) || jsonb_build_object('revision', s.revision))
        from changed s,
            (select name, allocated_capacity "allocatedCapacity", allow_overdraft "allowOverdraft" from old) b,
            (select name, allocated_capacity "allocatedCapacity", allow_overdraft "allowOverdraft" from new) n
    ), p as (
        select partner.* from partner, changed s, new where partner.id = s.partner_id and new.terms_change
        for no key update of partner
    ), parent as (
        update partner set
            allocated_to_accounts = p.allocated_to_accounts - old.allocated_capacity + s.allocated_capacity,
            overrides_of_accounts = p.overrides_of_accounts - ({ADDED_BEFORE}) + ({ADDED}), {LIMITS}
        from p, old, changed s where partner.id = p.id and s.allocated_capacity <> old.allocated_capacity
    ), s as (
        select * from changed union all select * from old where not exists (select from changed)
    )
    select s.purge_started_at is not null, (select {CLUSTER} from changed s), exists (select from p where {POOLED}),
           stale.is_stale, save_response(%(stamp)s, {EXTENDED}, s.revision), s.revision
    from stale cross join s join region r on r.id = s.region_id where (select count(*) from a) >= 0"""


async def change_account(
    conn: Connection,
    scope: UUID,
    partner_id: UUID,
    account_id: int,
    change: AccountChange,
    expected: AccountChange | None,
    revision: int | None,
    now: datetime,
    stamp: str,
) -> Changed | None:
    """None if there is no such account, or it is not in the given `revision`.

    Constraints: partner_allocated_to_accounts or overflow, not enough of the partner's allocation left.

    The partner's row is locked for every change of terms, even if its total stays the same. Whether the partner's pool
    is bounded must be as of the commit, otherwise a concurrent change could leave quotas outdated.
    """
    expected = expected or AccountChange()
    return await _changed(
        conn,
        _CHANGE,
        {
            "id": account_id,
            "partner": partner_id,
            "scope": scope,
            "name": change.name,
            "name_key": change.name and name_key(change.name),
            "allocated": change.allocated_capacity,
            "overdraft": change.allow_overdraft,
            "expected_name": expected.name,
            "expected_allocated": expected.allocated_capacity,
            "revision": revision,
            "now": now,
            "stamp": stamp,
        },
    )


_SUSPEND: LiteralString = f"""
    with old as (
        select s.* from {CHANGEABLE} for no key update of s
    ), stale as (
        select coalesce(coalesce(old.suspension_reason, '') not in (%(expected)s::text, %(reason)s::text), false)
            as is_stale
        from old
    ), changed as (
        update storage_account s set suspended_at = coalesce(old.suspended_at, %(now)s),
            suspension_reason = %(reason)s, revision = s.revision + 1,
            desired_revision = s.desired_revision + case when old.suspended_at is null then 1 else 0 end
        from old, stale
        where s.id = old.id and old.purge_started_at is null and old.suspension_reason is distinct from %(reason)s
            and not stale.is_stale
        returning s.*
    ), s as (
        select * from changed union all select * from old where not exists (select from changed)
    )
    select s.purge_started_at is not null,
           (select {CLUSTER} from changed s, old where old.suspended_at is null), false, stale.is_stale,
           save_response(%(stamp)s, {EXTENDED}, s.revision), s.revision,
           (select audit(%(stamp)s, c.partner_id, 'account.suspend', c.id::text,
                         case when old.suspended_at is not null
                             then jsonb_build_object('reason', old.suspension_reason) end,
                         jsonb_build_object('reason', c.suspension_reason, 'revision', c.revision)) from changed c)
    from old cross join stale cross join s join region r on r.id = s.region_id"""


async def suspend_account(
    conn: Connection,
    scope: UUID,
    partner_id: UUID,
    account_id: int,
    reason: str,
    expected: str | None,
    revision: int | None,
    now: datetime,
    stamp: str,
) -> Changed | None:
    """None as for `change_account`. If it is suspended already, the reason changes and the time stays."""
    return await _changed(
        conn,
        _SUSPEND,
        {
            "id": account_id,
            "partner": partner_id,
            "scope": scope,
            "reason": reason,
            "expected": expected,
            "revision": revision,
            "now": now,
            "stamp": stamp,
        },
    )


_RESUME: LiteralString = f"""
    with old as (
        select s.* from {CHANGEABLE} for no key update of s
    ), changed as (
        update storage_account s set suspended_at = null, suspension_reason = null,
            desired_revision = s.desired_revision + 1, revision = s.revision + 1
        from old where s.id = old.id and old.purge_started_at is null and old.suspended_at is not null
        returning s.*
    ), s as (
        select * from changed union all select * from old where not exists (select from changed)
    )
    select s.purge_started_at is not null, (select {CLUSTER} from changed s), false, false,
           save_response(%(stamp)s, null), s.revision,
           (select audit(%(stamp)s, c.partner_id, 'account.resume', c.id::text,
                         jsonb_build_object('reason', old.suspension_reason),
                         jsonb_build_object('revision', c.revision)) from changed c)
    from old, s"""


async def resume_account(
    conn: Connection, scope: UUID, partner_id: UUID, account_id: int, revision: int | None, stamp: str
) -> Changed | None:
    """None as for `change_account`. One that is not suspended stays unchanged."""
    return await _changed(
        conn,
        _RESUME,
        {"id": account_id, "partner": partner_id, "scope": scope, "revision": revision, "stamp": stamp},
    )


_PASSWORD: LiteralString = f"""
    with old as (
        select s.* from {CHANGEABLE} for no key update of s
    ), s as (
        update storage_account s set password_hash = %(hash)s
        from old where s.id = old.id and old.purge_started_at is null
        returning s.*
    )
    select old.purge_started_at is not null,
           (select audit(%(stamp)s, s.partner_id, 'account.set-password', s.id::text, null, null) from s),
           (select save_response(%(stamp)s, null) from s)
    from old"""


async def set_password(
    conn: Connection,
    scope: UUID,
    partner_id: UUID,
    account_id: int,
    password_hash: str,
    revision: int | None,
    stamp: str,
) -> bool | None:
    """Whether it was done: False if the purge has started, None as for `change_account`."""
    cursor = await conn.execute(
        _PASSWORD,
        {
            "id": account_id,
            "partner": partner_id,
            "scope": scope,
            "hash": password_hash,
            "revision": revision,
            "stamp": stamp,
        },
    )
    row = await cursor.fetchone()
    return not row[0] if row else None


async def _changed(conn: Connection, text: LiteralString, params: dict[str, object]) -> Changed | None:
    row = await (await conn.execute(text, params)).fetchone()
    return Changed(*row[:4], account=Versioned(*row[4:6])) if row else None

"""SQL of the deletion of storage accounts: scheduled, put off, taken back, carried out."""

from datetime import datetime
from typing import LiteralString, NamedTuple
from uuid import UUID

from tonnage.accounts.queries import ACCOUNT, CLUSTER, LIVING, POOLED
from tonnage.db import Connection


class Deletion(NamedTuple):
    """How an account stood before a statement, and how it is after it."""

    requested_at: datetime | None
    due: datetime | None
    started_at: datetime | None
    cluster: int | None
    """The region, if there is a cluster that must hear of what was changed."""
    account: bytes
    """As JSON, after the statement."""


class Scheduled(NamedTuple):
    """There is such an account, and it waits for its deletion."""

    cluster: int | None
    """The region, if it did not wait yet and there is a cluster that must hear of it."""


class Freed(NamedTuple):
    """An account is gone, and what it had of its partner's allocation is free."""

    partner_id: UUID
    makes_room: bool
    """Whether other accounts of the partner on clusters may have more room now."""


_SCHEDULE: LiteralString = f"""
    with old as (
        select s.* from {LIVING} for no key update of s
    ), s as (
        update storage_account s set deletion_requested_at = %(now)s, pending_deleted_at = %(due)s,
            desired_revision = s.desired_revision + 1
        from old where s.id = old.id and old.pending_deleted_at is null
        returning s.*
    )
    select (select {CLUSTER} from s),
           (select audit(%(stamp)s, s.partner_id, 'account.delete', s.id::text, null,
                         jsonb_build_object('pendingDeletedAt', s.pending_deleted_at)) from s)
    from old"""


async def schedule_deletion(
    conn: Connection, scope: UUID, partner_id: UUID, account_id: int, due: datetime, now: datetime, stamp: str
) -> Scheduled | None:
    """None if there is no such account. One that is scheduled already keeps its date."""
    cursor = await conn.execute(
        _SCHEDULE,
        {"id": account_id, "partner": partner_id, "scope": scope, "due": due, "now": now, "stamp": stamp},
    )
    row = await cursor.fetchone()
    return Scheduled(row[0]) if row else None


_SET: LiteralString = f"""
    with old as (
        select s.* from {LIVING} for no key update of s
    ), changed as (
        update storage_account s set
            deletion_requested_at = case when %(due)s::timestamptz is not null
                then coalesce(old.deletion_requested_at, %(now)s) end,
            pending_deleted_at = %(due)s,
            desired_revision = s.desired_revision + 1
        from old
        where s.id = old.id and s.purge_started_at is null and old.pending_deleted_at is distinct from %(due)s
            and (%(due)s::timestamptz is null or %(due)s >=
                coalesce(old.deletion_requested_at, %(now)s) + make_interval(hours => 24 * %(grace)s))
        returning s.*
    ), s as (
        select * from changed union all select * from old where not exists (select from changed)
    )
    select old.deletion_requested_at, old.pending_deleted_at, old.purge_started_at,
           (select {CLUSTER} from changed s), {ACCOUNT},
           (select audit(%(stamp)s, c.partner_id,
                         case when c.pending_deleted_at is null then 'account.restore' else 'account.delete' end,
                         c.id::text, jsonb_build_object('pendingDeletedAt', old.pending_deleted_at),
                         jsonb_build_object('pendingDeletedAt', c.pending_deleted_at)) from changed c)
    from old, s"""


async def set_deletion(
    conn: Connection,
    scope: UUID,
    partner_id: UUID,
    account_id: int,
    due: datetime | None,
    grace_days: int,
    now: datetime,
    stamp: str,
) -> Deletion | None:
    """Sets the date of the purge, or takes the deletion back (`due` None), unless the purge has started.

    A date before the first request and its grace changes nothing; for an account that is not scheduled yet this is the
    first request. None if there is no such account.
    """
    cursor = await conn.execute(
        _SET,
        {
            "id": account_id,
            "partner": partner_id,
            "scope": scope,
            "due": due,
            "grace": grace_days,
            "now": now,
            "stamp": stamp,
        },
    )
    row = await cursor.fetchone()
    return Deletion(*row[:5]) if row else None


async def due_account(
    conn: Connection, scope: UUID, partner_id: UUID, account_id: int
) -> tuple[bytes, datetime | None] | None:
    """The living account as JSON, and when it is due; None for the date when it is not to be deleted."""
    cursor = await conn.execute(
        f"select {ACCOUNT}, s.pending_deleted_at from {LIVING}",
        {"id": account_id, "partner": partner_id, "scope": scope},
    )
    row = await cursor.fetchone()
    return (row[0], row[1]) if row else None


async def regions_due(conn: Connection, now: datetime) -> list[int]:
    """The regions in which accounts wait to be purged by now."""
    cursor = await conn.execute(
        """
        select distinct region_id from storage_account
        where pending_deleted_at <= %s and purged_at is null order by region_id
        """,
        [now],
    )
    return [region_id for (region_id,) in await cursor.fetchall()]


async def start_due_purges(conn: Connection, region_id: int, now: datetime, after: int, limit: int) -> list[int]:
    """Claims a region's accounts after the id `after` whose date has come, and gives the ids of them and of those that
    were claimed before and are not gone yet, in order.

    What is claimed can no longer be restored: the cluster may already have begun to forget it.
    """
    cursor = await conn.execute(
        """
        with due as (
            select id from storage_account
            where pending_deleted_at <= %(now)s and purged_at is null and region_id = %(region)s and id > %(after)s
            order by id limit %(limit)s for no key update
        ), claimed as (
            update storage_account s set purge_started_at = coalesce(s.purge_started_at, %(now)s)
            from due where s.id = due.id
            returning s.id
        )
        select id from claimed order by id
        """,
        {"region": region_id, "now": now, "after": after, "limit": limit},
    )
    return [account_id for (account_id,) in await cursor.fetchall()]


_FINISH: LiteralString = f"""
    with old as (
        select * from storage_account
        where id = %(id)s and purge_started_at is not null and purged_at is null for no key update
    ), gone as (
        update storage_account s set purged_at = %(now)s, used = 0,
            contact_email = null, contact_email_key = null, password_hash = null
        from old where s.id = old.id
        returning s.id
    ), keys as (
        delete from access_key using gone where account_id = gone.id
    ), a as (
        select audit(%(stamp)s, old.partner_id, 'account.purge', old.id::text,
                     jsonb_build_object('name', old.name, 'allocatedCapacity', old.allocated_capacity), null)
        from old, gone
    ), p as (
        select partner.* from partner, old, a where partner.id = old.partner_id for no key update of partner
    ), freed as (
        update partner set given = p.given - old.allocated_capacity, accounts = p.accounts - 1,
            used = p.used - old.used,
            allocated_capacity = p.allocated_capacity, allow_overdraft = p.allow_overdraft
        from p, old where partner.id = p.id
        returning partner.id, partner.contract_id
    ), k as (
        select contract.* from contract, freed, old
        where contract.id = freed.contract_id and old.used <> 0 for no key update of contract
    ), lightened as (
        update contract set used = k.used - old.used from k, old where contract.id = k.id
    )
    select freed.id, {POOLED} from freed, p"""


async def finish_purge(conn: Connection, account_id: int, now: datetime, stamp: str) -> Freed | None:
    """Frees the allocation, erases e-mail and password hash, keeps the history. None if somebody else has done it."""
    cursor = await conn.execute(
        _FINISH,
        {"id": account_id, "now": now, "stamp": stamp},
    )
    row = await cursor.fetchone()
    return Freed(*row) if row else None

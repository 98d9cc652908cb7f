"""SQL of the deletion of storage accounts: scheduled, postponed, cancelled."""

from collections.abc import Sequence
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from tonnage.accounts.deletion import Deletion, Scheduled
from tonnage.accounts.queries import ACCOUNT, CHANGEABLE, CLUSTER, LIVING
from tonnage.db import Connection
from tonnage.db.rendered import Versioned

_SCHEDULE: LiteralString = f"""
    with old as (
        select s.* from {CHANGEABLE} for no key update of s
    ), s as (
        update storage_account s set deletion_requested_at = %(now)s, pending_deleted_at = %(due)s,
            desired_revision = s.desired_revision + 1, revision = s.revision + 1
        from old where s.id = old.id and old.pending_deleted_at is null
        returning s.*
    )
    select (select {CLUSTER} from s),
           (select audit(%(stamp)s, s.partner_id, 'account.delete', s.id::text, null,
                         jsonb_build_object('pendingDeletedAt', s.pending_deleted_at, 'revision', s.revision)) from s),
           save_response(%(stamp)s, null)
    from old"""


async def schedule_deletion(
    conn: Connection,
    scope: UUID,
    partner_id: UUID,
    account_id: int,
    due: datetime,
    revision: int | None,
    now: datetime,
    stamp: str,
) -> Scheduled | None:
    """None if there is no such account, or it is not in the given `revision`. One that is scheduled already keeps its
    date.
    """
    cursor = await conn.execute(
        _SCHEDULE,
        {
            "id": account_id,
            "partner": partner_id,
            "scope": scope,
            "due": due,
            "revision": revision,
            "now": now,
            "stamp": stamp,
        },
    )
    row = await cursor.fetchone()
    return Scheduled(row[0]) if row else None


_SET: LiteralString = f"""
    with old as (
        select s.* from {CHANGEABLE} for no key update of s
    ), rule as (
        select coalesce(deletion_requested_at, %(now)s) + make_interval(hours => 24 * %(grace)s) as earliest from old
    ), changed as (
        update storage_account s set
            deletion_requested_at = case when %(due)s::timestamptz is not null
                then coalesce(old.deletion_requested_at, %(now)s) end,
            pending_deleted_at = %(due)s,
            desired_revision = s.desired_revision + 1, revision = s.revision + 1
        from old, rule
        where s.id = old.id and s.purge_started_at is null and old.pending_deleted_at is distinct from %(due)s
            and (%(due)s::timestamptz is null or %(due)s >= rule.earliest)
        returning s.*
    ), s as (
        select * from changed union all select * from old where not exists (select from changed)
    )
    select old.pending_deleted_at is distinct from %(due)s and not exists (select from changed),
           old.purge_started_at is not null, rule.earliest,
           (select {CLUSTER} from changed s), save_response(%(stamp)s, {ACCOUNT}, s.revision), s.revision,
           (select audit(%(stamp)s, c.partner_id,
                         case when c.pending_deleted_at is null then 'account.restore' else 'account.delete' end,
                         c.id::text, jsonb_build_object('pendingDeletedAt', old.pending_deleted_at),
                         jsonb_build_object('pendingDeletedAt', c.pending_deleted_at, 'revision', c.revision))
            from changed c)
    from old, rule, s"""


async def set_deletion(
    conn: Connection,
    scope: UUID,
    partner_id: UUID,
    account_id: int,
    due: datetime | None,
    grace_days: int,
    revision: int | None,
    now: datetime,
    stamp: str,
) -> Deletion | None:
    """Sets the date of the purge, or takes the deletion back (`due` None), unless the purge has started.

    A date before the first request and its grace is refused; for an account that is not scheduled yet this is the
    first request. None if there is no such account, or it is not in the given `revision`.
    """
    cursor = await conn.execute(
        _SET,
        {
            "id": account_id,
            "partner": partner_id,
            "scope": scope,
            "due": due,
            "grace": grace_days,
            "revision": revision,
            "now": now,
            "stamp": stamp,
        },
    )
    row = await cursor.fetchone()
    return Deletion(*row[:4], account=Versioned(*row[4:6])) if row else None


async def cancel_deletions(conn: Connection, account_ids: Sequence[int], stamp: str) -> list[int]:
    """Takes back the deletion of those of these accounts whose purge has not started; returns their ids."""
    cursor = await conn.execute(
        """
        with old as (
            select * from storage_account
            where id = any(%(ids)s) and pending_deleted_at is not null and purge_started_at is null
            order by id for no key update
        ), s as (
            update storage_account s set deletion_requested_at = null, pending_deleted_at = null,
                desired_revision = s.desired_revision + 1, revision = s.revision + 1
            from old where s.id = old.id
            returning s.id, s.revision
        )
        select s.id, audit(%(stamp)s, old.partner_id, 'account.restore', s.id::text,
                           jsonb_build_object('pendingDeletedAt', old.pending_deleted_at),
                           jsonb_build_object('pendingDeletedAt', null, 'revision', s.revision))
        from s join old on old.id = s.id order by s.id
        """,
        {"ids": list(account_ids), "stamp": stamp},
    )
    return [account_id for account_id, _ in await cursor.fetchall()]


async def due_account(
    conn: Connection, scope: UUID, partner_id: UUID, account_id: int
) -> tuple[Versioned, datetime | None] | None:
    """The account, if not purged, and its purge date; None if it is not scheduled for deletion."""
    cursor = await conn.execute(
        f"select {ACCOUNT}, s.revision, s.pending_deleted_at from {LIVING}",
        {"id": account_id, "partner": partner_id, "scope": scope},
    )
    row = await cursor.fetchone()
    return (Versioned(*row[:2]), row[2]) if row else None

"""SQL of locks. The caller ends sessions in a later statement, which sees what these had to wait for."""

from datetime import datetime
from typing import LiteralString
from uuid import UUID

from tonnage.db import Connection
from tonnage.locks.lock import OrganisationLock


async def lock_member(conn: Connection, member_id: UUID, now: datetime, stamp: str) -> None:
    """Locks a member while the rows of its team are held. A locked one stays locked since its first time."""
    cursor = await conn.execute(
        """
        with m as (update member set locked_at = %(now)s where id = %(member)s and locked_at is null returning *)
        select audit(%(stamp)s, organisation_id, 'member.lock', id::text, null, null) from m
        """,
        {"member": member_id, "now": now, "stamp": stamp},
    )
    await cursor.fetchone()


async def unlock_member(conn: Connection, member_id: UUID, stamp: str) -> None:
    """Unlocks a member, if it is locked."""
    cursor = await conn.execute(
        """
        with m as (update member set locked_at = null where id = %(member)s and locked_at is not null returning *)
        select audit(%(stamp)s, organisation_id, 'member.unlock', id::text, null, null) from m
        """,
        {"member": member_id, "stamp": stamp},
    )
    await cursor.fetchone()


_ORGANISATION: LiteralString = """
    select o.name, o.locked_at, o.locked_by_id, b.name, o.lock_reason
    from organisation o left join organisation b on b.id = o.locked_by_id
    where o.id = %(organisation)s and o.kind <> 'operator' and o.closed_at is null
        and (%(parent)s::uuid is null or o.parent_id = %(parent)s)"""


async def organisation_lock(conn: Connection, parent: UUID | None, organisation_id: UUID) -> OrganisationLock | None:
    """The lock of a distributor or partner; None if there is no open one, or it is not a partner of `parent` (None:
    any).
    """
    cursor = await conn.execute(_ORGANISATION, {"organisation": organisation_id, "parent": parent})
    row = await cursor.fetchone()
    return OrganisationLock(*row) if row else None


async def hold_organisation(conn: Connection, parent: UUID | None, organisation_id: UUID) -> OrganisationLock | None:
    """The same, and its row is held until the transaction ends."""
    cursor = await conn.execute(
        f"{_ORGANISATION} for no key update of o", {"organisation": organisation_id, "parent": parent}
    )
    row = await cursor.fetchone()
    return OrganisationLock(*row) if row else None


async def lock_organisation(
    conn: Connection, organisation_id: UUID, locked_by_id: UUID, reason: str, now: datetime, stamp: str
) -> None:
    """Locks an organisation whose row is held. A locked one stays locked since its first time, and gets this reason."""
    cursor = await conn.execute(
        """
        with old as (
            select lock_reason from organisation where id = %(organisation)s
        ), o as (
            update organisation set locked_at = coalesce(locked_at, %(now)s), locked_by_id = %(by)s,
                lock_reason = %(reason)s
            where id = %(organisation)s
                and (locked_by_id, lock_reason) is distinct from (%(by)s::uuid, %(reason)s::text)
            returning *
        )
        select audit(%(stamp)s, o.id, 'organisation.lock', o.id::text,
            case when old.lock_reason is not null then jsonb_build_object('reason', old.lock_reason) end,
            jsonb_build_object('reason', o.lock_reason))
        from o, old
        """,
        {"organisation": organisation_id, "by": locked_by_id, "reason": reason, "now": now, "stamp": stamp},
    )
    await cursor.fetchone()


async def unlock_organisation(conn: Connection, organisation_id: UUID, stamp: str) -> None:
    """Unlocks an organisation whose row is held, if it is locked."""
    cursor = await conn.execute(
        """
        with old as (
            select lock_reason from organisation where id = %(organisation)s
        ), o as (
            update organisation set locked_at = null, locked_by_id = null, lock_reason = null
            where id = %(organisation)s and locked_at is not null returning *
        )
        select audit(%(stamp)s, o.id, 'organisation.unlock', o.id::text,
            jsonb_build_object('reason', old.lock_reason), null)
        from o, old
        """,
        {"organisation": organisation_id, "stamp": stamp},
    )
    await cursor.fetchone()

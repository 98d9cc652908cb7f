"""SQL of purges: due accounts are purged on the cluster, then here."""

from datetime import datetime
from typing import LiteralString

from tonnage.accounts.queries import POOLED
from tonnage.db import Connection
from tonnage.provisioning.purge import Freed


async def regions_due(conn: Connection, now: datetime) -> list[int]:
    """The regions with accounts that are due for a purge."""
    cursor = await conn.execute(
        """
        select distinct region_id from storage_account
        where pending_deleted_at <= %s and purged_at is null order by region_id
        """,
        [now],
    )
    return [region_id for (region_id,) in await cursor.fetchall()]


async def start_due_purges(conn: Connection, region_id: int, now: datetime, after: int, limit: int) -> list[int]:
    """Claims a region's due accounts after the id `after`; returns their ids in order.

    Includes accounts claimed earlier whose purge is not finished. A claimed account can no longer be restored: the
    cluster may already have deleted a part of it.
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
        update partner set allocated_to_accounts = p.allocated_to_accounts - old.allocated_capacity,
            account_count = p.account_count - 1, used = p.used - old.used,
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
    """Frees the allocation, erases e-mail and password hash, keeps the history. None: it was finished by another run
    already."""
    cursor = await conn.execute(
        _FINISH,
        {"id": account_id, "now": now, "stamp": stamp},
    )
    row = await cursor.fetchone()
    return Freed(*row) if row else None

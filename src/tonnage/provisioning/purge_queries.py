"""SQL of purges: due accounts are purged on the cluster, then here."""

from collections.abc import Sequence
from datetime import datetime
from typing import LiteralString

from tonnage.accounts.queries import ADDED_BEFORE, LIMITS, POOLED
from tonnage.db import Connection
from tonnage.provisioning.purge import DueAccount, Freed
from tonnage.storage.backend import ClusterUser


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


async def due_accounts(conn: Connection, region_id: int, now: datetime, after: int, limit: int) -> list[DueAccount]:
    """A region's due accounts after the id `after`, in order of id. Includes those whose purge is not finished."""
    cursor = await conn.execute(
        """
        select id, cluster_user, pending_deleted_at, purge_started_at is not null from storage_account
        where pending_deleted_at <= %(now)s and purged_at is null and region_id = %(region)s and id > %(after)s
        order by id limit %(limit)s
        """,
        {"region": region_id, "now": now, "after": after, "limit": limit},
    )
    return [DueAccount(ClusterUser(*row[:2]), *row[2:]) for row in await cursor.fetchall()]


async def start_purges(conn: Connection, account_ids: Sequence[int], now: datetime) -> list[ClusterUser]:
    """Claims those of these accounts that are due; returns them in order of their ids.

    Includes accounts claimed earlier whose purge is not finished. A claimed account can no longer be restored: the
    cluster may already have deleted a part of it.
    """
    cursor = await conn.execute(
        """
        with due as (
            select id from storage_account
            where pending_deleted_at <= %(now)s and purged_at is null and id = any(%(ids)s)
            order by id for no key update
        ), claimed as (
            update storage_account s set purge_started_at = coalesce(s.purge_started_at, %(now)s)
            from due where s.id = due.id
            returning s.id, s.cluster_user
        )
        select id, cluster_user from claimed order by id
        """,
        {"ids": list(account_ids), "now": now},
    )
    return [ClusterUser(*row) for row in await cursor.fetchall()]


_FINISH: LiteralString = f"""
    with old as (
        select * from storage_account
        where id = %(id)s and purge_started_at is not null and purged_at is null for no key update
    ), measured as (
        select u.account_id, u.used from account_usage u, old where u.account_id = old.id for no key update of u
    ), emptied as (
        update account_usage u set used = 0, purged_at = %(now)s from measured where u.account_id = measured.account_id
    ), gone as (
        update storage_account s set purged_at = %(now)s,
            contact_email = null, contact_email_key = null, password_hash = null, override_capacity = null,
            override_until = null
        from old, measured where s.id = old.id
        returning s.id, measured.used
    ), overrides as (
        update capacity_override o set ended_at = %(now)s
        from gone where o.account_id = gone.id and o.ended_at is null and o.valid_until > %(now)s
    ), mails as (
        delete from contact_mail using gone where account_id = gone.id
    ), keys as (
        delete from access_key using gone where account_id = gone.id
    ), billing as (
        -- The rest of it is needed until the last month is billed.
        update billing_profile set profile = profile - 'contactEmail', changed_at = %(now)s
        from gone where account_id = gone.id and profile ? 'contactEmail'
    ), a as (
        select audit(%(stamp)s, old.partner_id, 'account.purge', old.id::text,
                     jsonb_build_object('name', old.name, 'allocatedCapacity', old.allocated_capacity), null)
        from old, gone
    ), p as (
        select partner.* from partner, old, a where partner.id = old.partner_id for no key update of partner
    ), freed as (
        update partner set allocated_to_accounts = p.allocated_to_accounts - old.allocated_capacity,
            overrides_of_accounts = p.overrides_of_accounts - ({ADDED_BEFORE}),
            account_count = p.account_count - 1, used = p.used - gone.used, {LIMITS}
        from p, old, gone where partner.id = p.id
        returning partner.id, partner.contract_id
    ), k as (
        select contract.* from contract, freed, gone
        where contract.id = freed.contract_id and gone.used <> 0 for no key update of contract
    ), lightened as (
        update contract set used = k.used - gone.used from k, gone where contract.id = k.id
    )
    select freed.id, {POOLED} from freed, p"""


async def finish_purge(conn: Connection, account_id: int, now: datetime, stamp: str) -> Freed | None:
    """Frees the allocation, erases e-mail addresses and password hash, keeps the history. Needs a transaction, which
    holds the lock of the usage. None: it was finished by another run already."""
    # A statement of its own, so that the next one sees what others have committed.
    await conn.execute("select lock_usage(array[%s::bigint])", [account_id])
    cursor = await conn.execute(
        _FINISH,
        {"id": account_id, "now": now, "stamp": stamp},
    )
    row = await cursor.fetchone()
    return Freed(*row) if row else None

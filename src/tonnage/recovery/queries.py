"""SQL of the recovery: what a restored database has that a newer one may have decided otherwise."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from tonnage.db import Connection


async def waiting_accounts(
    conn: Connection, region_id: int, before: datetime | None
) -> list[tuple[int, str, datetime]]:
    """Id, name and date of the accounts of a region that wait for their deletion and were applied to its cluster, by
    date; without those whose purge has started. Their deletion was requested `before` that time; None: at any."""
    cursor = await conn.execute(
        """
        select id, name, pending_deleted_at from storage_account
        where region_id = %(region)s and pending_deleted_at is not null and purge_started_at is null
            and purged_at is null and applied_revision > 0 and coalesce(deletion_requested_at < %(before)s, true)
        order by pending_deleted_at, id
        """,
        {"region": region_id, "before": before},
    )
    return await cursor.fetchall()


async def active_again(conn: Connection, keys: Sequence[UUID], members: Sequence[UUID]) -> list[tuple[str, str, str]]:
    """Those of these API keys and members that are not revoked, not removed and not released here: kind, organisation,
    name."""
    cursor = await conn.execute(
        """
        select 'API key', o.name, k.description || ' (' || k.prefix || '…)'
        from api_key k join organisation o on o.id = k.organisation_id
        where k.id = any(%(keys)s) and k.revoked_at is null and k.released_at is null
        union all
        select 'member', o.name, m.email from member m join organisation o on o.id = m.organisation_id
        where m.id = any(%(members)s) and m.released_at is null
        order by 1, 2, 3
        """,
        {"keys": list(keys), "members": list(members)},
    )
    return await cursor.fetchall()

"""SQL of the adoption of users of clusters."""

from collections.abc import Sequence

from tonnage.db import Connection
from tonnage.storage.backend import ListedUser


async def known_users(conn: Connection, region_id: int, users: Sequence[ListedUser]) -> set[str]:
    """Those of a cluster's users that belong to the database: accounts, purged ones and those of other regions
    included. Of adopted users only those that are not purged: another user may have got the id since.

    A region at the same address has the same cluster, by mistake.
    """
    cursor = await conn.execute(
        """
        select u.uid from unnest(%(ids)s::bigint[], %(uids)s::text[]) as u (id, uid)
        where exists (select from storage_account s where s.id = u.id and s.cluster_user is null)
            or exists (
                select from storage_account s
                where s.cluster_user = u.uid and s.purged_at is null and s.region_id in (
                    select r.id from region r join region own on own.admin_url = r.admin_url
                    where own.id = %(region)s))
        """,
        {
            "region": region_id,
            "ids": [user.account_id for user in users],
            "uids": [user.uid for user in users],
        },
    )
    return {uid for (uid,) in await cursor.fetchall()}


async def audit_adoption(conn: Connection, account_id: int, used: int, objects: int, keys: int, stamp: str) -> None:
    """Writes the audit entry of an adoption, without the user's id: it may be a person's name."""
    await conn.execute(
        """
        select audit(%(stamp)s, s.partner_id, 'account.adopt', s.id::text, null, jsonb_build_object('region', r.name,
            'used', %(used)s::bigint, 'objects', %(objects)s::bigint, 'accessKeys', %(keys)s::integer,
            'revision', s.revision))
        from storage_account s join region r on r.id = s.region_id where s.id = %(id)s
        """,
        {"id": account_id, "used": used, "objects": objects, "keys": keys, "stamp": stamp},
    )

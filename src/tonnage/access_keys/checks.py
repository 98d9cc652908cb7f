"""What `tonnage doctor` recomputes of access keys."""

from tonnage.access.checks import Check, Checking, compare
from tonnage.db import Connection


async def keys(conn: Connection) -> Check:
    """What was purged has no access keys."""
    return await compare(
        conn,
        "storage accounts: access keys of deleted accounts",
        """
        select s.id, case when s.purged_at is not null then (
                select nullif(count(*), 0) from access_key k where k.account_id = s.id) end, null
        from storage_account s
        """,
    )


ALL: tuple[Checking, ...] = (keys,)

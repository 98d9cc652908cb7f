"""Consistency checks of `tonnage doctor`: regions."""

from tonnage.access.checks import Check, Checking, compare
from tonnage.db import Connection


async def credentials(conn: Connection) -> Check:
    """A region has credentials if and only if it has a cluster. Whether they can be opened is checked with the other
    secrets."""
    return await compare(
        conn,
        "regions: credentials",
        """
        select r.name, case when s.name is not null then 'kept' end,
            case when r.backend = 'ceph' then 'kept' end
        from region r left join sealed_secret s on s.name = 'region/' || r.id
        """,
    )


ALL: tuple[Checking, ...] = (credentials,)

"""SQL of how the accounts of regions stand on their clusters, for whoever watches over them."""

from typing import NamedTuple

from tonnage.db import Connection


class RegionProvisioning(NamedTuple):
    """A region with a cluster: accounts of which it must hear, those that it refuses, and what sweeps have found."""

    region: str
    pending: int
    refused: int
    drift: int
    """Differences that were left to the operator."""
    repaired: int
    """Differences that were repaired, since ever."""


async def region_provisioning(conn: Connection) -> list[RegionProvisioning]:
    """Every region with a cluster. Reads accounts that are behind, not all of them, and none of a metered region: those
    are behind for ever.
    """
    cursor = await conn.execute(
        """
        select r.name, a.pending, a.refused,
            (select count(*) from drift d where d.region_id = r.id),
            coalesce((select repaired from sweep s where s.region_id = r.id), 0)
        from region r cross join lateral (
            select
                count(*) filter (where s.refused_revision is distinct from s.desired_revision) as pending,
                count(*) filter (where s.refused_revision = s.desired_revision) as refused
            from storage_account s
            where s.region_id = r.id and s.applied_revision < s.desired_revision and s.purged_at is null
        ) a
        where r.backend <> 'metered' order by r.id
        """
    )
    return [RegionProvisioning(*row) for row in await cursor.fetchall()]

"""SQL of the provisioning state of regions, for monitoring."""

from typing import NamedTuple

from tonnage.db import Connection


class RegionProvisioning(NamedTuple):
    """A region with a cluster: numbers of pending and rejected accounts, and the results of full reconciles."""

    region: str
    pending: int
    rejected: int
    drift: int
    """Differences left to the operator."""
    repaired: int
    """Differences repaired since the region exists."""


async def region_provisioning(conn: Connection) -> list[RegionProvisioning]:
    """Every region with a cluster.

    Reads only accounts that are not applied, and none of a metered region, where no account is ever applied.
    """
    cursor = await conn.execute(
        """
        select r.name, a.pending, a.rejected,
            (select count(*) from drift d where d.region_id = r.id),
            coalesce((select repaired from full_reconcile s where s.region_id = r.id), 0)
        from region r cross join lateral (
            select
                count(*) filter (where s.rejected_revision is distinct from s.desired_revision) as pending,
                count(*) filter (where s.rejected_revision = s.desired_revision) as rejected
            from storage_account s
            where s.region_id = r.id and s.applied_revision < s.desired_revision and s.purged_at is null
        ) a
        where r.backend <> 'metered' order by r.id
        """
    )
    return [RegionProvisioning(*row) for row in await cursor.fetchall()]

"""SQL of how far the sampling of clusters has come, for whoever watches over it."""

from datetime import datetime
from typing import NamedTuple

from tonnage.db import Connection


class Sampled(NamedTuple):
    """A region with a cluster: the hour of its last run that got through, and how many accounts did not answer then.

    Before the first one, when it got its cluster.
    """

    region: str
    hour: datetime
    missed: int


async def last_runs(conn: Connection) -> list[Sampled]:
    """Every region with a cluster."""
    cursor = await conn.execute(
        """
        select r.name, coalesce(run.hour, r.connected_at), coalesce(run.missed, 0)
        from region r left join lateral (
            select hour, missed from sampling_run s where s.region_id = r.id and s.finished_at is not null
            order by hour desc limit 1
        ) run on true
        where r.plane <> 'metered' order by r.id
        """
    )
    return [Sampled(*row) for row in await cursor.fetchall()]

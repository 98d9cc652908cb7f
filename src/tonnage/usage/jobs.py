"""What recurs for usage, and the sampling of a region."""

from tonnage.clock import Clock
from tonnage.db import Database
from tonnage.jobs import defer
from tonnage.regions.actions import watched
from tonnage.regions.planes import Planes
from tonnage.regions.queries import clusters
from tonnage.usage import actions, sampling_actions


async def keep_house(database: Database, planes: Planes, clock: Clock) -> None:
    """Partitions for the months ahead; raw samples past their time go."""
    await actions.keep_house(database, clock())


async def sample_all(database: Database, planes: Planes, clock: Clock) -> None:
    """Asks for the sampling of every region that has a cluster."""
    for cluster in await database.run(clusters):
        await database.run(lambda conn, cluster=cluster: defer(conn, "usage.sample", cluster.region_id))


async def sample(database: Database, planes: Planes, clock: Clock, region: str) -> None:
    """What the accounts of a region store, and what they did."""
    region_id = int(region)
    async with watched(database, planes, region_id, clock) as plane:
        await sampling_actions.sample_region(database, plane, region_id, clock)

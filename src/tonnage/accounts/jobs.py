"""What recurs for storage accounts, and what clusters are told of them."""

import logging
from collections.abc import Callable
from datetime import datetime

from tonnage.access.actor import Actor, Kind, Role
from tonnage.access.queries import operator_id
from tonnage.accounts import deletion_queries
from tonnage.accounts.purge_actions import purge_due
from tonnage.db import Database
from tonnage.jobs import defer
from tonnage.regions.actions import watched
from tonnage.regions.planes import Planes
from tonnage.regions.queries import clusters

_log = logging.getLogger(__name__)

Clock = Callable[[], datetime]


async def purge(database: Database, planes: Planes, clock: Clock) -> None:
    """Asks for the purge of the accounts whose date has come, in every region where there are some."""
    for region_id in await database.run(lambda conn: deletion_queries.regions_due(conn, clock())):
        await database.run(lambda conn, region_id=region_id: defer(conn, "accounts.purge_region", region_id))


async def purge_region(database: Database, planes: Planes, clock: Clock, region: str) -> None:
    """Purges the accounts of a region whose date has come."""
    region_id = int(region)
    actor = Actor(await database.run(operator_id), Kind.OPERATOR, Role.ADMIN, "job")
    plane = await planes.of(region_id)
    async with watched(database, region_id, clock):
        purged = await purge_due(database, plane, region_id, actor, clock)
    if purged:
        _log.info("purged %d storage accounts", purged)


async def reconcile(database: Database, planes: Planes, clock: Clock, region: str) -> None:
    """Tells a region's cluster what has changed."""


async def requota(database: Database, planes: Planes, clock: Clock, partner: str) -> None:
    """Sees which quotas change because a partner's pool has."""


async def sweep_all(database: Database, planes: Planes, clock: Clock) -> None:
    """Asks for the comparison of every cluster with the database."""
    for cluster in await database.run(clusters):
        await database.run(lambda conn, cluster=cluster: defer(conn, "accounts.sweep", cluster.region_id))


async def sweep(database: Database, planes: Planes, clock: Clock, region: str) -> None:
    """Compares a region's cluster with the database."""

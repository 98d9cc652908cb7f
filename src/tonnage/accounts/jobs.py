"""What recurs for storage accounts, and what clusters are told of them."""

import logging
from uuid import UUID

from tonnage.access.actor import Actor, Kind, Role
from tonnage.access.queries import operator_id
from tonnage.accounts import deletion_queries, key_actions, key_queries, provisioning_actions, sweep_actions
from tonnage.accounts.access_key import SETTLE_AFTER
from tonnage.accounts.purge_actions import purge_due
from tonnage.accounts.sweep import LEFT
from tonnage.clock import Clock
from tonnage.db import Connection, Database
from tonnage.jobs import defer
from tonnage.regions.actions import look_at, watched
from tonnage.regions.planes import Planes
from tonnage.regions.queries import clusters, note_doubt

_log = logging.getLogger(__name__)


async def purge(database: Database, planes: Planes, clock: Clock) -> None:
    """Asks for the purge of the accounts whose date has come, in every region where there are some."""
    for region_id in await database.run(lambda conn: deletion_queries.regions_due(conn, clock())):
        await database.run(lambda conn, region_id=region_id: defer(conn, "accounts.purge_region", region_id))


async def purge_region(database: Database, planes: Planes, clock: Clock, region: str) -> None:
    """Purges the accounts of a region whose date has come."""
    region_id = int(region)
    actor = await _actor(database)
    async with watched(database, planes, region_id, clock) as plane:
        purged = await purge_due(database, plane, region_id, actor, clock)
    if purged:
        _log.info("purged %d storage accounts", purged)


async def reconcile(database: Database, planes: Planes, clock: Clock, region: str) -> None:
    """Tells a region's cluster what has changed."""
    region_id = int(region)
    async with watched(database, planes, region_id, clock) as plane:
        await provisioning_actions.reconcile(database, plane, region_id)


async def requota(database: Database, planes: Planes, clock: Clock, partner: str) -> None:
    """Sees which quotas change because a partner's pool has."""
    await provisioning_actions.requota(database, UUID(partner))


async def sweep_all(database: Database, planes: Planes, clock: Clock) -> None:
    """Asks for the comparison of every cluster with the database."""
    for cluster in await database.run(clusters):
        if cluster.doubt is None:
            await database.run(lambda conn, cluster=cluster: defer(conn, "accounts.sweep", cluster.region_id))


async def sweep(database: Database, planes: Planes, clock: Clock, region: str) -> None:
    """Compares a region's cluster with the database."""
    region_id = int(region)
    async with watched(database, planes, region_id, clock) as plane:
        compared = await sweep_actions.sweep(database, plane, region_id, await _actor(database), clock)
    for finding in compared.findings:
        level = logging.INFO if finding.expected else logging.WARNING
        done = finding.remedy if finding.repaired or finding.remedy == LEFT else f"not {finding.remedy}"
        _log.log(level, "%s %s: %s", finding.subject, finding.what, done)
    _log.info("compared %d storage accounts with their cluster", compared.accounts)


async def prove(database: Database, planes: Planes, clock: Clock, region: str) -> None:
    """Looks, after a region was connected, whether it is its cluster, and if so asks for a comparison of the two.

    If not, the region's trouble says so, and nothing is done there until somebody acts.
    """
    region_id = int(region)
    cluster, plane = await planes.whatever(region_id)
    doubt = await sweep_actions.doubt_of(database, plane, region_id) if cluster.doubt is not None else None

    async def conclude(conn: Connection) -> None:
        await note_doubt(conn, cluster, doubt)
        if doubt is None:
            await defer(conn, "accounts.sweep", region_id)

    await database.transaction(conclude)
    await look_at(database, planes, region_id, clock())


async def settle_all(database: Database, planes: Planes, clock: Clock) -> None:
    """Asks for an end to access keys whose making or deletion broke off, in every region where there are some."""
    before = clock() - SETTLE_AFTER
    for region_id in await database.run(lambda conn: key_queries.unsettled_regions(conn, before)):
        await database.run(lambda conn, region_id=region_id: defer(conn, "accounts.settle", region_id))


async def settle(database: Database, planes: Planes, clock: Clock, region: str) -> None:
    """Ends the access keys of a region whose making or deletion broke off."""
    region_id = int(region)
    async with watched(database, planes, region_id, clock) as plane:
        for sentence in await key_actions.settle_keys(database, plane, region_id, clock()):
            _log.info(sentence)


async def _actor(database: Database) -> Actor:
    return Actor(await database.run(operator_id), Kind.OPERATOR, Role.ADMIN, "job")

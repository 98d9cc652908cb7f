"""What can be done to regions: the operator adds, connects and removes them, says where new accounts
go, and hears when a cluster is in trouble.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from psycopg.errors import CheckViolation, UniqueViolation

from tonnage.access.actor import Actor, Kind, Role
from tonnage.db import Connection, broken_constraint, savepoint_if_in_transaction
from tonnage.errors import Conflict, NotFound, Unavailable
from tonnage.jobs import defer
from tonnage.regions import backends, queries
from tonnage.regions.region import Gateway, NewRegion
from tonnage.services import Services
from tonnage.storage.backend import BackendReport, Backends, StorageBackend

_log = logging.getLogger(__name__)


async def add_region(
    conn: Connection,
    actor: Actor,
    region: NewRegion,
    now: datetime,
    *,
    gateway: Gateway | None = None,
    key_file: Path | None = None,
) -> None:
    """A new region: with a `gateway` accounts live on its cluster, without one it is metered only.

    Conflict: there is a region of that name; for a gateway also: nothing can be sealed without a `key_file`.
    """
    actor.require(Kind.OPERATOR, Role.ADMIN)
    try:
        async with conn.transaction():
            await queries.insert_region(conn, region, now, actor.stamp)
            if gateway is not None:
                await connect_region(conn, actor, region.name, gateway, now, key_file)
    except UniqueViolation as error:
        if broken_constraint(error) != "region_name":
            raise Conflict("Another region was added at the same moment; try again.") from error
        raise Conflict(
            "There is a region {region} already; remove it first, or choose another name.", region=region.name
        ) from error


async def connect_region(
    conn: Connection, actor: Actor, name: str, gateway: Gateway, now: datetime, key_file: Path | None
) -> None:
    """Puts the accounts of a region on a cluster, or changes how that is reached.

    Nothing is told to the cluster before a job has compared it: it may be another one than before, or a wrong one.
    NotFound: no such region. Conflict: without a `key_file` nothing can be sealed.
    """
    actor.require(Kind.OPERATOR, Role.ADMIN)
    if key_file is None:
        raise Conflict("Credentials are kept sealed: set TONNAGE_SECRET_KEY_FILE, and see `tonnage secret create`.")
    async with conn.transaction():
        region_id = await queries.connect_region(conn, name, gateway.admin_url, now, actor.stamp)
        if region_id is None:
            raise no_region(name)
        await backends.store_credentials(conn, key_file, region_id, gateway)
        await defer(conn, "provisioning.verify_identity", region_id)


async def remove_region(conn: Connection, actor: Actor, name: str) -> None:
    """Its credentials go with it. Conflict: storage accounts live in it."""
    actor.require(Kind.OPERATOR, Role.ADMIN)
    try:
        async with conn.transaction():
            removed = await queries.delete_region(conn, name, actor.stamp)
            if removed is None:
                raise no_region(name)
            await backends.discard_credentials(conn, removed)
    except CheckViolation as error:
        raise Conflict("Storage accounts live in the region {region}; delete them first.", region=name) from error


async def make_default(conn: Connection, actor: Actor, name: str) -> None:
    """Accounts for which no region is named are opened there from now on; those that there are stay where they are."""
    actor.require(Kind.OPERATOR, Role.ADMIN)
    try:
        async with savepoint_if_in_transaction(conn):
            found = await queries.make_default(conn, name, actor.stamp)
    except UniqueViolation as error:
        raise Conflict("Another region became the default at the same moment; look again which one is.") from error
    if not found:
        raise no_region(name)


def no_region(name: str) -> NotFound:
    """What there is to say of an unknown name."""
    return NotFound("There is no region {region}; GET /v1/integration/regions/list has all of them.", region=name)


@asynccontextmanager
async def with_health_check(services: Services, region_id: int) -> AsyncGenerator[StorageBackend]:
    """The backend of a region for some work. Unavailable that ends it goes on its way, after a look at the cluster.

    It need not be the cluster: one account may be beyond it while all others are well.
    """
    try:
        yield await services.backends.of(region_id)
    except Unavailable:
        await check(services, region_id)
        raise


async def check_all(services: Services) -> None:
    """Tries every cluster, and keeps how each is doing; raises nothing because of one that is in trouble."""
    found = await services.database.run(queries.clusters)
    # None of them waits for another one that is stalled.
    await asyncio.gather(*(check(services, cluster.region_id) for cluster in found))


async def check(services: Services, region_id: int) -> None:
    """Tries a region's cluster, and keeps how it is doing. The log tells of its trouble once, and of its end."""
    try:
        report = await report_on(services.backends, region_id)
    except NotFound:
        return
    if report.problems:
        trouble = " ".join(report.problems)
        now = services.wall_clock()
        if name := await services.database.run(queries.record_trouble, region_id, trouble, now):
            _log.warning("the region %s is in trouble: %s", name, trouble)
    elif name := await services.database.run(queries.record_recovery, region_id):
        _log.warning("the cluster of the region %s works again", name)


async def report_on(open_backends: Backends, region_id: int) -> BackendReport:
    """Tries a region's cluster. That its credentials cannot be opened, or that it may be another cluster, is a problem
    too. NotFound: no region.
    """
    try:
        cluster, backend = await open_backends.any_state(region_id)
        report = await backend.check()
    except Unavailable as error:
        return BackendReport(reachable=False, credentials=False, problems=(str(error),))
    return (
        replace(report, problems=(*report.problems, cluster.identity_unverified))
        if cluster.identity_unverified
        else report
    )

"""Actions on regions: the operator adds, connects and removes them, and sets the default one. Health checks of
clusters.
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
from tonnage.error_codes import ConflictCode
from tonnage.errors import Conflict, Invalid, NotFound, Unavailable
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
    """Adds a region: with a `gateway` its accounts are on that cluster, without one it is metered only.

    Conflict: the name is taken; or, with a gateway, what `connect_region` refuses.
    """
    actor.require(Kind.OPERATOR, Role.ADMIN)
    try:
        async with conn.transaction():
            await queries.insert_region(conn, region, now, actor.stamp)
            if gateway is not None:
                await connect_region(conn, actor, region.name, gateway, now, key_file)
    except UniqueViolation as error:
        if broken_constraint(error) != "region_name":
            raise Conflict(
                "Another region was added at the same moment. Try again.", ConflictCode.CHANGED_MEANWHILE
            ) from error
        raise Conflict(
            "The region {region} already exists. Remove it first, or choose another name.",
            ConflictCode.REGION_IN_USE,
            region=region.name,
        ) from error


async def connect_region(
    conn: Connection, actor: Actor, name: str, gateway: Gateway, now: datetime, key_file: Path | None
) -> None:
    """Connects a region to a cluster, or changes its address or credentials.

    Nothing is applied to the cluster before a job has verified its identity: it may be another cluster than before, or
    a wrong one. NotFound: no such region. Conflict: there is no `key_file` to seal the credentials with, or the
    database is a sandbox.
    """
    actor.require(Kind.OPERATOR, Role.ADMIN)
    if key_file is None:
        raise Conflict(
            "Credentials are stored encrypted. Set TONNAGE_SECRET_KEY_FILE, and see `tonnage secret create`.",
            ConflictCode.NO_SECRET_KEY,
        )
    try:
        async with conn.transaction():
            region_id = await queries.connect_region(conn, name, gateway.admin_url, now, actor.stamp)
            if region_id is None:
                raise no_region(name)
            await backends.store_credentials(conn, key_file, region_id, gateway)
            await defer(conn, "provisioning.verify_identity", region_id)
    except CheckViolation as error:
        raise Conflict(
            "This is a sandbox, whose clock can be advanced. Connect clusters in another database.",
            ConflictCode.IS_A_SANDBOX,
        ) from error


async def remove_region(conn: Connection, actor: Actor, name: str) -> None:
    """Deletes its credentials too. Conflict: the region has storage accounts."""
    actor.require(Kind.OPERATOR, Role.ADMIN)
    try:
        async with conn.transaction():
            removed = await queries.delete_region(conn, name, actor.stamp)
            if removed is None:
                raise no_region(name)
            await backends.discard_credentials(conn, removed)
    except CheckViolation as error:
        raise Conflict(
            "The region {region} still has storage accounts. Delete them first.",
            ConflictCode.REGION_IN_USE,
            region=name,
        ) from error


async def make_default(conn: Connection, actor: Actor, name: str) -> None:
    """Makes a region the default for new accounts that name no region; existing accounts stay where they are."""
    actor.require(Kind.OPERATOR, Role.ADMIN)
    try:
        async with savepoint_if_in_transaction(conn):
            found = await queries.make_default(conn, name, actor.stamp)
    except UniqueViolation as error:
        raise Conflict(
            "Another region became the default at the same moment. Check which one is the default now.",
            ConflictCode.CHANGED_MEANWHILE,
        ) from error
    if not found:
        raise no_region(name)


async def state_capacity(conn: Connection, actor: Actor, name: str, capacity: int | None, now: datetime) -> None:
    """Says how many bytes a region can store after replication; None: nobody knows. NotFound: no such region. Invalid:
    it is 0."""
    actor.require(Kind.OPERATOR, Role.ADMIN)
    if capacity == 0:
        raise Invalid.field("physicalCapacity", "must be more than 0; leave it out if you do not know it")
    if not await queries.state_capacity(conn, name, capacity, now, actor.stamp):
        raise no_region(name)


def no_region(name: str) -> NotFound:
    """The error for an unknown name."""
    return NotFound("There is no region {region}. GET /v1/integration/regions/list lists all of them.", region=name)


@asynccontextmanager
async def with_health_check(services: Services, region_id: int) -> AsyncGenerator[StorageBackend]:
    """The backend of a region for a block of work. If the block raises Unavailable, the cluster is checked, and it is
    raised again.

    The cause may be a single account while the cluster is healthy; only the check decides.
    """
    try:
        yield await services.backends.of(region_id)
    except Unavailable:
        await check(services, region_id)
        raise


async def check_all(services: Services) -> None:
    """Checks every cluster and records its health; problems of a cluster are not raised."""
    found = await services.database.run(queries.clusters)
    # Concurrently, so that a stalled cluster does not delay the others.
    await asyncio.gather(*(check(services, cluster.region_id) for cluster in found))


async def check(services: Services, region_id: int) -> None:
    """Checks a region's cluster and records its health. Logs only when it becomes unhealthy and when it recovers."""
    try:
        report = await report_on(services.backends, region_id)
    except NotFound:
        return
    if report.problems:
        reason = " ".join(report.problems)
        now = services.wall_clock()
        if name := await services.database.run(queries.record_unhealthy, region_id, reason, now):
            _log.warning("the cluster of the region %s cannot be used: %s", name, reason)
    elif name := await services.database.run(queries.record_recovery, region_id):
        _log.warning("the cluster of the region %s works again", name)


async def report_on(open_backends: Backends, region_id: int) -> BackendReport:
    """Checks a region's cluster. Credentials that cannot be opened and an unverified identity are reported as problems.

    NotFound: no such region.
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

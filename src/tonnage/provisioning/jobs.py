"""Background jobs that keep clusters consistent with the database."""

import logging
from datetime import timedelta
from uuid import UUID

from tonnage.access.actor import Actor, Kind, Role
from tonnage.db import Connection
from tonnage.epoch.actions import permit_changes
from tonnage.epoch.epoch import OnHold, Permit
from tonnage.epoch.record import not_compared
from tonnage.errors import Sentence
from tonnage.jobs import defer
from tonnage.jobs.declaration import LONG, Clock, job
from tonnage.organisations.queries import operator_id
from tonnage.provisioning import actions, drift_actions, purge_queries
from tonnage.provisioning.drift import LEFT
from tonnage.provisioning.purge_actions import purge_due
from tonnage.regions.actions import check, with_health_check
from tonnage.regions.queries import clusters, set_identity_unverified
from tonnage.services import Services
from tonnage.storage.backend import StorageBackend

_log = logging.getLogger(__name__)


@job(
    "provisioning.purge_all",
    label=Sentence("Find storage accounts due for deletion"),
    cron="*/5 * * * *",
    clock=Clock.BUSINESS,
    waits_on_hold=True,
)
async def purge_all(services: Services, subject: str) -> None:
    """Defers the purge of every region that has accounts due for it."""
    now = services.business_clock()
    for region_id in await services.database.run(purge_queries.regions_due, now):
        await services.database.run(defer, "provisioning.purge_region", region_id)


@job(
    "provisioning.purge_region",
    label=Sentence("Delete storage accounts due for deletion"),
    queue=LONG,
    of_region=True,
    waits_on_hold=True,
)
async def purge_region(services: Services, subject: str) -> None:
    """Purges the due accounts of a region."""
    region_id, actor = int(subject), await _actor(services)
    async with with_health_check(services, region_id) as backend:
        permitted = await permit_changes(services, region_id, backend)
        grace = timedelta(days=services.deletion_grace_days)
        purged = await purge_due(services.database, backend, permitted, actor, services.business_clock, grace)
    if purged:
        _log.info("purged %d storage accounts", purged)


@job("provisioning.reconcile", label=Sentence("Apply changes to storage cluster"), of_region=True, waits_on_hold=True)
async def reconcile(services: Services, subject: str) -> None:
    """Applies pending changes to a region's cluster."""
    region_id = int(subject)
    async with with_health_check(services, region_id) as backend:
        permitted = await permit_changes(services, region_id, backend)
        await actions.reconcile(services.database, backend, permitted)


@job("provisioning.requota", label=Sentence("Recalculate quotas of a partner"))
async def requota(services: Services, subject: str) -> None:
    """Enqueues a reconcile for accounts whose quota changes with their partner's pool."""
    await actions.requota(services.database, [UUID(subject)])


@job("provisioning.reapply_partners", label=Sentence("Suspend or resume accounts of partners"), since="0010")
async def reapply_partners(services: Services, subject: str) -> None:
    """After partners were suspended or resumed. `subject`: their ids, with spaces between."""
    await actions.reapply_partners(services.database, [UUID(one) for one in subject.split()])


@job(
    "provisioning.full_reconcile_all",
    label=Sentence("Start comparing all storage clusters"),
    cron="41 */6 * * *",
    clock=Clock.WALL,
)
async def full_reconcile_all(services: Services, subject: str) -> None:
    """Defers a full reconcile of every cluster."""
    for cluster in await services.database.run(clusters):
        if cluster.identity_unverified is None:
            await services.database.run(defer, "provisioning.full_reconcile", cluster.region_id)


@job(
    "provisioning.full_reconcile",
    label=Sentence("Compare storage cluster with the database"),
    queue=LONG,
    of_region=True,
)
async def full_reconcile(services: Services, subject: str) -> None:
    """Compares a region's cluster with the database and repairs drift; on hold it only compares."""
    region_id, actor = int(subject), await _actor(services)
    async with with_health_check(services, region_id) as backend:
        permitted = await _permission(services, region_id, backend)
        compared = await drift_actions.full_reconcile(
            services.database, backend, region_id, actor, services.wall_clock, permitted
        )
    for drift in compared.findings:
        level = logging.INFO if drift.expected else logging.WARNING
        done = drift.remedy if drift.repaired or drift.remedy == LEFT else f"not {drift.remedy}"
        _log.log(level, "%s %s: %s", drift.subject, drift.description, done)
    _log.info("compared %d storage accounts with their cluster", compared.accounts)


async def _permission(services: Services, region_id: int, backend: StorageBackend) -> Permit | None:
    """None: the database is on hold."""
    try:
        return await permit_changes(services, region_id, backend)
    except OnHold as error:
        _log.warning("nothing is repaired: %s", error)
        return None


@job("provisioning.verify_identity", label=Sentence("Verify identity of the storage cluster"), of_region=True)
async def verify_identity(services: Services, subject: str) -> None:
    """Verifies, after a region was connected, that the cluster is the region's own; if so, defers a full reconcile.

    If not, the problem is recorded for the region, and nothing is applied there until the operator acts.
    """
    region_id, database = int(subject), services.database
    cluster, backend = await services.backends.any_state(region_id)
    problem = None
    if cluster.identity_unverified == not_compared(cluster.name):
        problem = cluster.identity_unverified  # it may be the right cluster, but newer than the database
    elif cluster.identity_unverified is not None:
        problem = await drift_actions.identity_problem(database, backend, region_id)

    async def conclude(conn: Connection) -> None:
        await set_identity_unverified(conn, cluster, problem)
        if problem is None:
            await defer(conn, "provisioning.full_reconcile", region_id)

    await database.transaction(conclude)
    await check(services, region_id)


async def _actor(services: Services) -> Actor:
    return Actor(await services.database.run(operator_id), Kind.OPERATOR, Role.ADMIN, "job")

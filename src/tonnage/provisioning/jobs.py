"""Background jobs that keep clusters consistent with the database."""

import logging
from uuid import UUID

from tonnage.access.actor import Actor, Kind, Role
from tonnage.db import Connection
from tonnage.errors import Sentence
from tonnage.jobs import defer
from tonnage.jobs.declaration import LONG, job
from tonnage.organisations.queries import operator_id
from tonnage.provisioning import actions, drift_actions, purge_queries
from tonnage.provisioning.drift import LEFT
from tonnage.provisioning.purge_actions import purge_due
from tonnage.regions.actions import check, with_health_check
from tonnage.regions.queries import clusters, set_identity_unverified
from tonnage.services import Services

_log = logging.getLogger(__name__)


@job("provisioning.purge_all", label=Sentence("Find storage accounts due for deletion"), cron="*/5 * * * *")
async def purge_all(services: Services, subject: str) -> None:
    """Defers the purge of every region that has accounts due for it."""
    now = services.business_clock()
    for region_id in await services.database.run(purge_queries.regions_due, now):
        await services.database.run(defer, "provisioning.purge_region", region_id)


@job(
    "provisioning.purge_region", label=Sentence("Delete storage accounts due for deletion"), queue=LONG, of_region=True
)
async def purge_region(services: Services, subject: str) -> None:
    """Purges the due accounts of a region."""
    region_id, actor = int(subject), await _actor(services)
    async with with_health_check(services, region_id) as backend:
        purged = await purge_due(services.database, backend, region_id, actor, services.business_clock)
    if purged:
        _log.info("purged %d storage accounts", purged)


@job("provisioning.reconcile", label=Sentence("Apply changes to storage cluster"), of_region=True)
async def reconcile(services: Services, subject: str) -> None:
    """Applies pending changes to a region's cluster."""
    region_id = int(subject)
    async with with_health_check(services, region_id) as backend:
        await actions.reconcile(services.database, backend, region_id)


@job("provisioning.requota", label=Sentence("Recalculate quotas of a partner"))
async def requota(services: Services, subject: str) -> None:
    """Enqueues a reconcile for accounts whose quota changes with their partner's pool."""
    await actions.requota(services.database, UUID(subject))


@job("provisioning.full_reconcile_all", label=Sentence("Start comparing all storage clusters"), cron="41 */6 * * *")
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
    """Compares a region's cluster with the database and repairs drift."""
    region_id, actor = int(subject), await _actor(services)
    async with with_health_check(services, region_id) as backend:
        compared = await drift_actions.full_reconcile(services.database, backend, region_id, actor, services.wall_clock)
    for drift in compared.findings:
        level = logging.INFO if drift.expected else logging.WARNING
        done = drift.remedy if drift.repaired or drift.remedy == LEFT else f"not {drift.remedy}"
        _log.log(level, "%s %s: %s", drift.subject, drift.description, done)
    _log.info("compared %d storage accounts with their cluster", compared.accounts)


@job("provisioning.verify_identity", label=Sentence("Verify identity of the storage cluster"), of_region=True)
async def verify_identity(services: Services, subject: str) -> None:
    """Verifies, after a region was connected, that the cluster is the region's own; if so, defers a full reconcile.

    If not, the problem is recorded for the region, and nothing is applied there until the operator acts.
    """
    region_id, database = int(subject), services.database
    cluster, backend = await services.backends.any_state(region_id)
    problem = None
    if cluster.identity_unverified is not None:
        problem = await drift_actions.identity_problem(database, backend, region_id)

    async def conclude(conn: Connection) -> None:
        await set_identity_unverified(conn, cluster, problem)
        if problem is None:
            await defer(conn, "provisioning.full_reconcile", region_id)

    await database.transaction(conclude)
    await check(services, region_id)


async def _actor(services: Services) -> Actor:
    return Actor(await services.database.run(operator_id), Kind.OPERATOR, Role.ADMIN, "job")

"""Background jobs that sample clusters."""

import logging
from functools import partial

from tonnage.epoch.actions import permit_changes
from tonnage.epoch.epoch import Permit
from tonnage.errors import Sentence, Unavailable
from tonnage.jobs import defer
from tonnage.jobs.declaration import LONG, Clock, job
from tonnage.metering import sampling_actions
from tonnage.regions.actions import with_health_check
from tonnage.regions.queries import clusters
from tonnage.services import Services
from tonnage.storage.backend import StorageBackend

_log = logging.getLogger(__name__)


@job(
    "metering.sample_all",
    label=Sentence("Start hourly sampling of all storage clusters"),
    cron="0 * * * *",
    clock=Clock.BUSINESS,
)
async def sample_all(services: Services, subject: str) -> None:
    """Defers the sampling of every region that has a cluster."""
    for cluster in await services.database.run(clusters):
        await services.database.run(defer, "metering.sample", cluster.region_id)


@job("metering.sample", label=Sentence("Sample storage cluster"), queue=LONG, of_region=True)
async def sample(services: Services, subject: str) -> None:
    """Records the use and the traffic of a region's accounts."""
    region_id = int(subject)
    try:
        async with with_health_check(services, region_id) as backend:
            permit = partial(_permission, services, region_id, backend)
            await sampling_actions.sample_region(services.database, backend, region_id, services.business_clock, permit)
    finally:
        # Also of a part of the accounts.
        await services.database.run(defer, "alerts.evaluate", "all")


async def _permission(services: Services, region_id: int, backend: StorageBackend) -> Permit | None:
    """The permission to trim the cluster's log; None on hold, or while it cannot be had: sampling goes on."""
    try:
        return await permit_changes(services, region_id, backend)
    except Unavailable as error:
        _log.info("the usage log is not trimmed: %s", error)
        return None

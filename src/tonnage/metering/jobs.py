"""Background jobs that sample clusters."""

from tonnage.errors import Sentence
from tonnage.jobs import defer
from tonnage.jobs.declaration import LONG, job
from tonnage.metering import sampling_actions
from tonnage.regions.actions import with_health_check
from tonnage.regions.queries import clusters
from tonnage.services import Services


@job("metering.sample_all", label=Sentence("Start hourly sampling of all storage clusters"), cron="0 * * * *")
async def sample_all(services: Services, subject: str) -> None:
    """Defers the sampling of every region that has a cluster."""
    for cluster in await services.database.run(clusters):
        await services.database.run(defer, "metering.sample", cluster.region_id)


@job("metering.sample", label=Sentence("Sample storage cluster"), queue=LONG, of_region=True)
async def sample(services: Services, subject: str) -> None:
    """Records the use and the traffic of a region's accounts."""
    region_id = int(subject)
    async with with_health_check(services, region_id) as backend:
        await sampling_actions.sample_region(services.database, backend, region_id, services.business_clock)

"""Background jobs for access keys."""

import logging

from tonnage.access_keys import queries
from tonnage.access_keys.access_key import PENDING_TIMEOUT
from tonnage.access_keys.clean_up_actions import clean_up_keys
from tonnage.epoch.actions import permit_changes
from tonnage.errors import Sentence
from tonnage.jobs import defer
from tonnage.jobs.declaration import Clock, job
from tonnage.regions.actions import with_health_check
from tonnage.services import Services

_log = logging.getLogger(__name__)


@job(
    "access_keys.clean_up_all",
    label=Sentence("Find incomplete access keys"),
    cron="* * * * *",
    clock=Clock.WALL,
    waits_on_hold=True,
)
async def clean_up_all(services: Services, subject: str) -> None:
    """Defers the clean-up of every region with access keys whose creation or deletion was interrupted."""
    before = services.wall_clock() - PENDING_TIMEOUT
    for region_id in await services.database.run(queries.regions_to_clean_up, before):
        await services.database.run(defer, "access_keys.clean_up", region_id)


@job("access_keys.clean_up", label=Sentence("Clean up incomplete access keys"), of_region=True, waits_on_hold=True)
async def clean_up(services: Services, subject: str) -> None:
    """Deletes the access keys of a region whose creation or deletion was interrupted."""
    region_id = int(subject)
    async with with_health_check(services, region_id) as backend:
        # A key that is pending or deleting in an older database may be in use.
        permitted = await permit_changes(services, region_id, backend)
        for sentence in await clean_up_keys(services.database, backend, permitted, services.wall_clock()):
            _log.info(sentence)

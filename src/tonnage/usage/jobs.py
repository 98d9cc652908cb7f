"""Background jobs for usage."""

import logging

from tonnage.epoch.actions import earliest_time, require_running
from tonnage.epoch.epoch import OnHold
from tonnage.errors import Sentence
from tonnage.jobs.declaration import LONG, Clock, job
from tonnage.services import Services
from tonnage.usage import actions

_log = logging.getLogger(__name__)


@job(
    "usage.run_maintenance",
    label=Sentence("Create partitions and delete old samples"),
    cron="17 0 * * *",
    clock=Clock.BUSINESS,
)
async def run_maintenance(services: Services, subject: str) -> None:
    """Creates the partitions of the coming months; deletes raw samples, hourly traffic and sampling runs past their
    retention, unless the database is on hold. A clock that is ahead of a cluster's deletes nothing."""
    await actions.create_partitions(services.database, services.business_clock())
    try:
        await require_running(services)
    except OnHold as error:
        _log.warning("no samples are deleted: %s", error)
        return
    await actions.run_maintenance(services.database, await earliest_time(services))


@job(
    "usage.record_accepted",
    label=Sentence("Record the rest of imported usage"),
    queue=LONG,
    cron="*/5 * * * *",
    clock=Clock.WALL,
    since="0002",
)
async def record_accepted(services: Services, subject: str) -> None:
    """An import that was interrupted after its file was accepted."""
    await actions.record_accepted(services.database, services.business_clock())


@job("usage.finish_days", label=Sentence("Compute the last daily values of a deleted storage account"), since="0002")
async def finish_days(services: Services, subject: str) -> None:
    """A purged account stores nothing from its purge on, so the value of that day is smaller than it was before."""
    await services.database.transaction(actions.finish_days, int(subject))

"""Background jobs that end timed overrides and remind of their end."""

from tonnage.errors import Sentence
from tonnage.jobs.declaration import Clock, job
from tonnage.overrides import actions
from tonnage.services import Services


@job(
    "overrides.end_due",
    label=Sentence("End timed overrides after their last day"),
    cron="*/5 * * * *",
    clock=Clock.BUSINESS,
    since="0010",
)
async def end_due(services: Services, subject: str) -> None:
    """An override ends at midnight, UTC."""
    await actions.end_due(services.database, services.business_clock())


@job(
    "overrides.remind",
    label=Sentence("Remind of timed overrides that end soon"),
    cron="7 * * * *",
    clock=Clock.BUSINESS,
    since="0010",
)
async def remind(services: Services, subject: str) -> None:
    """Three days and one day before."""
    await actions.remind(services.database, services.business_clock())

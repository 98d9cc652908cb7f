"""The background job that computes forecasts."""

from tonnage.errors import Sentence
from tonnage.forecasts import actions
from tonnage.jobs.declaration import LONG, Clock, job
from tonnage.services import Services


@job(
    "forecasts.compute",
    label=Sentence("Compute when capacities will be full"),
    queue=LONG,
    cron="23 2 * * *",
    clock=Clock.BUSINESS,
    since="0010",
)
async def compute(services: Services, subject: str) -> None:
    """At night, when the readings of the day before are daily values."""
    await actions.compute(services.database, services.business_clock(), services.wall_clock)

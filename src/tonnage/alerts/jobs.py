"""Background jobs that evaluate alerts."""

from tonnage.alerts import actions
from tonnage.errors import Sentence
from tonnage.jobs import defer
from tonnage.jobs.declaration import Clock, job
from tonnage.services import Services


@job("alerts.evaluate", label=Sentence("Compare use with alert levels"), since="0010")
async def evaluate(services: Services, subject: str) -> None:
    """After use was recorded, or levels were changed. `subject`: `all`."""
    await actions.evaluate(services.database, services.business_clock())


@job(
    "alerts.evaluate_all",
    label=Sentence("Start hourly comparison of use with alert levels"),
    cron="35 * * * *",
    clock=Clock.BUSINESS,
    since="0010",
)
async def evaluate_all(services: Services, subject: str) -> None:
    """Finds also what allocations that were changed have done. Deferred, so that it is done once at a time."""
    await services.database.run(defer, "alerts.evaluate", "all")

"""The background job that computes what caps of overdraft in money allow."""

from tonnage.errors import Sentence
from tonnage.jobs.declaration import LONG, Clock, job
from tonnage.overdraft_caps import actions
from tonnage.services import Services


@job(
    "overdraft_caps.compute_all",
    label=Sentence("Compute what caps of overdraft in money allow"),
    queue=LONG,
    cron="23 0 * * *",
    clock=Clock.BUSINESS,
    since="0010",
)
async def compute_all(services: Services, subject: str) -> None:
    """After midnight, UTC, when the use of the day before is known."""
    await actions.compute_all(services.database, services.business_clock())

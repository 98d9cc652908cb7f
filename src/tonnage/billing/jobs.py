"""Background jobs for the stored nets."""

from tonnage.billing import actions
from tonnage.errors import Sentence
from tonnage.jobs.declaration import LONG, Clock, job
from tonnage.services import Services


@job(
    "billing.compute_running",
    label=Sentence("Compute what is charged for the running month"),
    queue=LONG,
    cron="11 * * * *",
    clock=Clock.BUSINESS,
    since="0008",
)
async def compute_running(services: Services, subject: str) -> None:
    """After the clusters were sampled, at the full hour."""
    await actions.compute_running(services.database, services.business_clock())


@job(
    "billing.compute_last",
    label=Sentence("Compute what is charged for the month before"),
    queue=LONG,
    cron="47 0 * * *",
    clock=Clock.BUSINESS,
    since="0008",
)
async def compute_last(services: Services, subject: str) -> None:
    """Late readings still change it."""
    await actions.compute_last(services.database, services.business_clock())


@job(
    "billing.compute_changed",
    label=Sentence("Compute what is charged at changed terms and prices"),
    queue=LONG,
    cron="* * * * *",
    clock=Clock.WALL,
    since="0008",
)
async def compute_changed(services: Services, subject: str) -> None:
    """Those who change a price see soon what it does; in a sandbox too, whose clock stands still."""
    await actions.compute_changed(services.database, services.business_clock())

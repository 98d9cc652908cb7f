"""Background jobs for statements."""

from tonnage.errors import Sentence
from tonnage.jobs.declaration import LONG, Clock, job
from tonnage.month_end import freezing_actions
from tonnage.services import Services


@job(
    "month_end.freeze_due",
    label=Sentence("Freeze the statements of the month before"),
    queue=LONG,
    cron="23 2 * * *",
    clock=Clock.BUSINESS,
    since="0006",
    waits_on_hold=True,
)
async def freeze_due(services: Services, subject: str) -> None:
    """Of each seller from its day of the month on; statements that are blocked are tried again on each day."""
    await freezing_actions.freeze_due(services, services.business_clock())

"""The background job that mails contacts of storage accounts."""

from tonnage.contact_mails import actions
from tonnage.errors import Sentence
from tonnage.jobs.declaration import LONG, Clock, job
from tonnage.services import Services


@job(
    "contact_mails.notify",
    label=Sentence("Mail alerts to contacts of storage accounts"),
    queue=LONG,
    cron="* * * * *",
    clock=Clock.WALL,
    since="0010",
    waits_on_hold=True,
)
async def notify(services: Services, subject: str) -> None:
    """About the alerts since the last time, and what is due now."""
    await actions.notify(services)

"""The background job that mails notifications."""

from tonnage.errors import Sentence
from tonnage.jobs.declaration import LONG, Clock, job
from tonnage.notifications import actions
from tonnage.services import Services


@job(
    "notifications.notify",
    label=Sentence("Mail notifications"),
    queue=LONG,
    cron="* * * * *",
    clock=Clock.WALL,
    since="0010",
    waits_on_hold=True,
)
async def notify(services: Services, subject: str) -> None:
    """What has happened since the last time, and what is due now."""
    await actions.notify(services)

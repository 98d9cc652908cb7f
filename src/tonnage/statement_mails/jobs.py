"""Background jobs that mail statements."""

from tonnage.errors import Sentence
from tonnage.jobs.declaration import LONG, Clock, job
from tonnage.services import Services
from tonnage.statement_mails import actions


@job(
    "statement_mails.send_due",
    label=Sentence("Mail statements to their buyers"),
    queue=LONG,
    cron="* * * * *",
    clock=Clock.WALL,
    since="0009",
    waits_on_hold=True,
)
async def send_due(services: Services, subject: str) -> None:
    """Those that have got their numbers since."""
    await actions.send_due(services)

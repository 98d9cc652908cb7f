"""Background jobs that recognise an older database."""

from tonnage.epoch import actions
from tonnage.errors import Sentence
from tonnage.jobs.declaration import Clock, job
from tonnage.services import Services


@job(
    "epoch.advance",
    label=Sentence("Check that the database is the newest"),
    cron="*/5 * * * *",
    clock=Clock.WALL,
    since="0002",
)
async def advance(services: Services, subject: str) -> None:
    """Compares the epoch with what is recorded outside, and advances it."""
    await actions.advance(services)

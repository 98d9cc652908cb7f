"""The background job for events that are not kept any more."""

from tonnage.errors import Sentence
from tonnage.events import actions
from tonnage.jobs.declaration import Clock, job
from tonnage.services import Services


@job(
    "events.delete_old",
    label=Sentence("Delete events after 30 days"),
    cron="37 * * * *",
    clock=Clock.WALL,
    since="0010",
)
async def delete_old(services: Services, subject: str) -> None:
    """Their entries stay in the audit log."""
    await actions.delete_old(services.database, services.wall_clock())

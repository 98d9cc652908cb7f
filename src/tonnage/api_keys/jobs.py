"""The background job that announces the end of API keys."""

from tonnage.access.actor import system_stamp
from tonnage.api_keys import queries
from tonnage.errors import Sentence
from tonnage.jobs.declaration import Clock, job
from tonnage.services import Services


@job(
    "api_keys.announce_expiry",
    label=Sentence("Announce API keys that expire"),
    cron="13 * * * *",
    clock=Clock.WALL,
    since="0010",
)
async def announce_expiry(services: Services, subject: str) -> None:
    """Fourteen and three days before the end, and at the end."""
    await services.database.run(queries.announce_expiry, services.wall_clock(), system_stamp())

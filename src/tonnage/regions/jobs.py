"""Background jobs for regions."""

from tonnage.errors import Sentence
from tonnage.jobs.declaration import Clock, job
from tonnage.regions import actions
from tonnage.services import Services


@job("regions.check_all", label=Sentence("Check health of all storage clusters"), cron="* * * * *", clock=Clock.WALL)
async def check_all(services: Services, subject: str) -> None:
    """Records the health of every cluster."""
    await actions.check_all(services)

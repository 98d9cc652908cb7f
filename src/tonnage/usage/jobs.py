"""Background jobs for usage."""

from tonnage.errors import Sentence
from tonnage.jobs.declaration import job
from tonnage.services import Services
from tonnage.usage import actions


@job("usage.run_maintenance", label=Sentence("Create partitions and delete old samples"), cron="17 0 * * *")
async def run_maintenance(services: Services, subject: str) -> None:
    """Creates the partitions of the coming months; deletes raw samples, hourly traffic and
    sampling runs past their retention."""
    await actions.run_maintenance(services.database, services.business_clock())

"""Background jobs of suspensions."""

from uuid import UUID

from tonnage.errors import Sentence
from tonnage.jobs.declaration import LONG, Clock, job
from tonnage.services import Services
from tonnage.suspensions import overdue_actions


@job(
    "suspensions.apply_rules",
    label=Sentence("Suspend partners with overdue statements"),
    queue=LONG,
    cron="41 5 * * *",
    clock=Clock.BUSINESS,
    since="0010",
    waits_on_hold=True,
)
async def apply_rules(services: Services, subject: str) -> None:
    """By the rules of their distributors: warns, suspends, and resumes."""
    await overdue_actions.apply_rules(services.database, services.business_clock())


@job(
    "suspensions.resume_settled",
    label=Sentence("Resume a partner that has paid"),
    since="0010",
    waits_on_hold=True,
)
async def resume_settled(services: Services, subject: str) -> None:
    """After a statement of the partner was paid, or taken back as a whole."""
    await overdue_actions.resume_if_settled(services.database, UUID(subject), services.business_clock())

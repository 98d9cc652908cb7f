"""Background jobs of webhooks."""

from uuid import UUID

from tonnage.errors import Sentence
from tonnage.jobs.declaration import OUTBOUND, Clock, job
from tonnage.services import Services
from tonnage.webhooks import delivery_actions as actions


@job("webhooks.deliver", label=Sentence("Send events to a webhook"), queue=OUTBOUND, since="0010", waits_on_hold=True)
async def deliver(services: Services, subject: str) -> None:
    """`subject`: the id of an endpoint."""
    await actions.deliver(services, UUID(subject))


@job(
    "webhooks.delete_old",
    label=Sentence("Delete log of webhooks after 30 days"),
    cron="47 * * * *",
    clock=Clock.WALL,
    since="0010",
)
async def delete_old(services: Services, subject: str) -> None:
    """With the replies in it."""
    await actions.delete_old(services.database, services.wall_clock())

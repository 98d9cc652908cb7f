"""Background jobs of devices."""

from uuid import UUID

from tonnage.devices import actions, queries
from tonnage.errors import Sentence
from tonnage.jobs.declaration import Clock, job
from tonnage.services import Services


@job("devices.send_link", label=Sentence("Send sign-in link"), since="0003", waits_on_hold=True)
async def send_link(services: Services, subject: str) -> None:
    """Mails a member the link that makes a device known."""
    await actions.send_link(services.database, services.mailer, UUID(subject), services.wall_clock)


@job(
    "devices.delete_expired",
    label=Sentence("Delete old devices and links"),
    cron="37 0 * * *",
    clock=Clock.WALL,
    since="0003",
)
async def delete_expired(services: Services, subject: str) -> None:
    """Deletes devices that have not signed in for long, and links that were not used."""
    await services.database.run(queries.delete_expired, services.wall_clock())

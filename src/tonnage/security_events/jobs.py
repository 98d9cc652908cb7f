"""Background jobs of security events."""

from datetime import timedelta

from tonnage.access import audit_sequence_actions
from tonnage.errors import Sentence
from tonnage.jobs.declaration import Clock, job
from tonnage.security_events import actions
from tonnage.services import Services


@job(
    "security_events.write_counted",
    label=Sentence("Write the last hour's failures and refusals to the audit log"),
    cron="2 * * * *",
    clock=Clock.WALL,
    since="0004",
)
async def write_counted(services: Services, subject: str) -> None:
    """Writes the audit entries of the hours that have ended."""
    await actions.write_counted(services.database, services.wall_clock())


@job(
    "security_events.delete_addresses",
    label=Sentence("Delete old client addresses of the audit log"),
    cron="43 0 * * *",
    clock=Clock.WALL,
    since="0004",
)
async def delete_addresses(services: Services, subject: str) -> None:
    """Deletes what is kept of clients for a time only."""
    kept = timedelta(days=services.client_address_days)
    await actions.delete_addresses(services.database, kept, services.wall_clock())


@job(
    "security_events.drop_old_entries",
    label=Sentence("Drop old months of the audit log"),
    cron="13 1 * * *",
    clock=Clock.WALL,
    since="0004",
)
async def drop_old_entries(services: Services, subject: str) -> None:
    """Drops the entries that are older than the operator keeps them."""
    if services.audit_months is not None:
        await audit_sequence_actions.drop_old_entries(services.database, services.audit_months, services.wall_clock())

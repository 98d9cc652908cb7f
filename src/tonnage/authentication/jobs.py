"""Background jobs for sign-ins, and mails to members."""

from datetime import timedelta
from uuid import UUID

from tonnage.access.actor import Actor, Kind, Role
from tonnage.authentication import reset_actions, reset_queries, session_queries, throttling_queries
from tonnage.errors import Sentence
from tonnage.jobs.declaration import Clock, job
from tonnage.organisations.queries import operator_id
from tonnage.services import Services

_LONGEST_IDLE = timedelta(days=1)
"""The upper limit of a session's idle time, for every configuration of a server."""

_COUNTS_KEPT = timedelta(days=2)
"""A failure count decays to zero within a day of the last block."""


@job(
    "authentication.run_maintenance",
    label=Sentence("Delete expired sessions, links and failure counts"),
    cron="29 0 * * *",
    clock=Clock.WALL,
)
async def run_maintenance(services: Services, subject: str) -> None:
    """Deletes expired sessions, reset links and failure counts."""
    now = services.wall_clock()
    await services.database.run(session_queries.delete_stale, now, _LONGEST_IDLE)
    await services.database.run(reset_queries.delete_expired, now)
    await services.database.run(throttling_queries.delete_old, now, _COUNTS_KEPT)


@job("authentication.send_reset", label=Sentence("Send password reset link"), waits_on_hold=True)
async def send_reset(services: Services, subject: str) -> None:
    """Mails a member the link for setting a new password."""
    await reset_actions.send_reset(services.database, services.mailer, UUID(subject), services.wall_clock)


@job(
    "authentication.notify_failures",
    label=Sentence("Warn member of failed sign-ins from many places"),
    since="0003",
    waits_on_hold=True,
)
async def notify_failures(services: Services, subject: str) -> None:
    """Mails a member that there were many failed attempts, from everywhere together."""
    actor = Actor(await services.database.run(operator_id), Kind.OPERATOR, Role.ADMIN, "job")
    await reset_actions.notify_failures(services.database, services.mailer, UUID(subject), actor, services.wall_clock)


@job("authentication.notify_blocked", label=Sentence("Warn member of failed sign-ins"), waits_on_hold=True)
async def notify_blocked(services: Services, subject: str) -> None:
    """Mails a member that there were too many attempts with wrong passwords."""
    actor = Actor(await services.database.run(operator_id), Kind.OPERATOR, Role.ADMIN, "job")
    await reset_actions.notify_blocked(services.database, services.mailer, UUID(subject), actor, services.wall_clock)

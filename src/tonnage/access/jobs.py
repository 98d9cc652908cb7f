"""What recurs for sign-ins, and mails to members."""

from datetime import timedelta
from uuid import UUID

from tonnage.access import guessing_queries, reset_actions, reset_queries, session_queries
from tonnage.access.actor import Actor, Kind, Role
from tonnage.access.queries import operator_id
from tonnage.clock import Clock
from tonnage.db import Database
from tonnage.mail import Post

_UNUSED = timedelta(days=1)
"""No session may be idle for longer, whatever a server is set to."""

_REMEMBERED = timedelta(days=2)
"""A count of failures sinks to nothing in a day after the last block."""


async def keep_house(database: Database, clock: Clock) -> None:
    """Sessions, links and counts of failures whose time is over go."""
    now = clock()
    await database.run(lambda conn: session_queries.delete_stale(conn, now, _UNUSED))
    await database.run(lambda conn: reset_queries.delete_expired(conn, now))
    await database.run(lambda conn: guessing_queries.delete_old(conn, now, _REMEMBERED))


async def send_reset(database: Database, post: Post, clock: Clock, member: str) -> None:
    """Mails a link for a new password."""
    await reset_actions.send_reset(database, post, UUID(member), clock)


async def tell_blocked(database: Database, post: Post, clock: Clock, member: str) -> None:
    """Mails that somebody guesses."""
    actor = Actor(await database.run(operator_id), Kind.OPERATOR, Role.ADMIN, "job")
    await reset_actions.tell_blocked(database, post, UUID(member), actor, clock)

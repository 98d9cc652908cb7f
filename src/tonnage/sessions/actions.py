"""Actions on the sessions of others: by those who may change the member. A session is looked up with every request: so
it ends at once.
"""

from uuid import UUID

from tonnage.access.actor import Actor, Role
from tonnage.db import Connection
from tonnage.errors import NotFound
from tonnage.members.actions import hold_team
from tonnage.security_events.security_log import log_event
from tonnage.sessions import queries


async def end_session(conn: Connection, actor: Actor, organisation_id: UUID, session_id: UUID) -> None:
    """Ends a session of a member. NotFound: no member of the organisation has it. Forbidden: the member's role is above
    the actor's.
    """
    _, member_id = await _find(conn, organisation_id, session_id)
    async with conn.transaction():
        await hold_team(conn, actor, organisation_id, member_id, Role.STAFF)
        if not await queries.end_sessions(conn, member_id, actor.stamp, only=session_id):
            raise no_session(session_id)
    log_event("member.end-sessions", organisation_id, member=member_id)


async def end_sessions(
    conn: Connection, actor: Actor, organisation_id: UUID, member_id: UUID, *, but: UUID | None = None
) -> None:
    """Ends all sessions of a member, but for one. Forbidden: the member's role is above the actor's."""
    async with conn.transaction():
        await hold_team(conn, actor, organisation_id, member_id, Role.STAFF)
        await queries.end_sessions(conn, member_id, actor.stamp, but=but)
    log_event("member.end-sessions", organisation_id, member=member_id)


async def find_session(conn: Connection, session_id: UUID) -> UUID:
    """The organisation of the member whose session it is, for the command line. NotFound: it has ended."""
    organisation_id, _ = await _find(conn, None, session_id)
    return organisation_id


async def _find(conn: Connection, scope: UUID | None, session_id: UUID) -> tuple[UUID, UUID]:
    found = await queries.member_of_session(conn, scope, session_id)
    if found is None:
        raise no_session(session_id)
    return found


def no_session(session_id: UUID) -> NotFound:
    """The session has ended, or is out of scope: the same message for both."""
    return NotFound("There is no session {session}. It may have ended.", session=str(session_id))

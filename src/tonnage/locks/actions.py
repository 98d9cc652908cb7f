"""Actions on locks. Sessions are looked up with every request, API keys once a second: so locks are effective at once.

A member is locked and unlocked by those who may change it, an organisation by the organisations above it.
"""

from datetime import datetime
from uuid import UUID

from tonnage.access.actor import Actor, Kind, Role
from tonnage.authentication.reset_queries import discard_resets
from tonnage.authentication.session_queries import end_other_sessions, end_sessions_of_organisation
from tonnage.db import Connection
from tonnage.error_codes import ConflictCode
from tonnage.errors import Conflict
from tonnage.locks import queries
from tonnage.members.actions import LAST_ADMIN, hold_team
from tonnage.members.member import leaves_no_admin
from tonnage.organisations.organisation import no_organisation


async def lock_member(conn: Connection, actor: Actor, organisation_id: UUID, member_id: UUID, now: datetime) -> None:
    """Locks a member's login and ends its sessions and reset links. Forbidden: its role is above the actor's.

    Conflict: it is the actor, or the only admin of its organisation who can sign in. Of its own organisation and of
    others: an organisation that nobody may use is locked as a whole.
    """
    if actor.via_id == member_id:
        raise Conflict("You cannot lock your own login.", ConflictCode.LOCK_NOT_YOURS)
    async with conn.transaction():
        team = await hold_team(conn, actor, organisation_id, member_id, Role.STAFF)
        if leaves_no_admin(team, member_id, None):
            raise Conflict(LAST_ADMIN, ConflictCode.LAST_ADMIN)
        await queries.lock_member(conn, member_id, now, actor.stamp)
        await end_other_sessions(conn, member_id, None)
        await discard_resets(conn, member_id)


async def unlock_member(conn: Connection, actor: Actor, organisation_id: UUID, member_id: UUID) -> None:
    """Lets a member sign in again. Forbidden: its role is above the actor's."""
    async with conn.transaction():
        await hold_team(conn, actor, organisation_id, member_id, Role.STAFF)
        await queries.unlock_member(conn, member_id, actor.stamp)


async def lock_organisation(conn: Connection, actor: Actor, organisation_id: UUID, reason: str, now: datetime) -> None:
    """Locks a distributor or partner and ends the sessions of its members. A locked one gets the new reason.

    Conflict: the operator has locked it, and the actor is its distributor. ReauthenticationRequired.
    """
    async with conn.transaction():
        await _hold(conn, actor, organisation_id)
        actor.require_recent_authentication()
        await queries.lock_organisation(conn, organisation_id, actor.organisation_id, reason, now, actor.stamp)
        await end_sessions_of_organisation(conn, organisation_id)


async def unlock_organisation(conn: Connection, actor: Actor, organisation_id: UUID) -> None:
    """Lets its members sign in again, and its API keys work. Conflict: as above."""
    async with conn.transaction():
        await _hold(conn, actor, organisation_id)
        # Of a sign-in at the moment of the lock there can be a session, which nobody could use until now.
        await end_sessions_of_organisation(conn, organisation_id)
        await queries.unlock_organisation(conn, organisation_id, actor.stamp)


async def _hold(conn: Connection, actor: Actor, organisation_id: UUID) -> None:
    """NotFound: there is no such organisation below the actor's."""
    if actor.kind is Kind.PARTNER:
        raise no_organisation(organisation_id)
    actor.require(actor.kind, Role.ADMIN)
    lock = await queries.hold_organisation(conn, actor.scope, organisation_id)
    if lock is None:
        raise no_organisation(organisation_id)
    if lock.is_of_another(actor):
        raise Conflict(
            "{organisation} was locked by {other}. Only {other} can change that.",
            ConflictCode.LOCK_NOT_YOURS,
            organisation=lock.organisation,
            other=lock.locked_by or "",
        )

"""Changes to a member's password and second factor that are made by another person."""

from uuid import UUID

from tonnage.access.actor import Actor, Kind, Role
from tonnage.authentication import reset_queries, second_factor_actions, session_queries
from tonnage.db import Connection
from tonnage.errors import Conflict, NotFound, Sentence
from tonnage.members import queries as member_queries
from tonnage.members.actions import hold_member
from tonnage.members.member import no_member

_OWN_PASSWORD = Sentence("This is your own password. Change it in your profile.")
_OWN_FACTOR = Sentence("This is your own two-factor authentication. Change it in your profile.")


async def set_password(
    conn: Connection, actor: Actor, organisation_id: UUID, member_id: UUID, password_hash: str
) -> None:
    """Sets a new password for another member and ends its sessions.

    Conflict: it is the actor's own password; changing that requires the current one as well.
    """
    _require_other(actor, member_id, _OWN_PASSWORD)
    async with conn.transaction():
        await hold_member(conn, actor, organisation_id, member_id, Role.ADMIN, Role.STAFF)
        await replace_password(conn, actor, member_id, password_hash, but=None)


async def reset_second_factor(conn: Connection, actor: Actor, organisation_id: UUID, member_id: UUID) -> None:
    """Removes the second factor of another member who has lost it. Ends its sessions; the next sign-in needs only the
    password.

    Conflict: it is the actor's own factor; that one is removed with a code.
    """
    _require_other(actor, member_id, _OWN_FACTOR)
    async with conn.transaction():
        await hold_member(conn, actor, organisation_id, member_id, Role.ADMIN, Role.STAFF)
        await second_factor_actions.reset_second_factor(conn, actor, organisation_id, member_id)


async def set_member_password(conn: Connection, actor: Actor, email: str, password_hash: str) -> None:
    """For the operator: sets a new password for any member. NotFound: no member has that address."""
    actor.require(Kind.OPERATOR, Role.ADMIN)
    async with conn.transaction():
        await replace_password(conn, actor, await _member_by_email(conn, email), password_hash, but=None)


async def reset_member_factor(conn: Connection, actor: Actor, email: str) -> None:
    """For the operator: removes a member's second factor and ends its sessions. NotFound: no such address."""
    actor.require(Kind.OPERATOR, Role.ADMIN)
    async with conn.transaction():
        await second_factor_actions.reset_second_factor(conn, actor, None, await _member_by_email(conn, email))


async def replace_password(
    conn: Connection, actor: Actor, member_id: UUID, password_hash: str, *, but: UUID | None
) -> None:
    """Runs in the caller's transaction. Ends all sessions of the member but one, and discards pending reset links."""
    if not await member_queries.set_password(conn, member_id, password_hash, actor.stamp):
        raise no_member(member_id)
    await session_queries.end_other_sessions(conn, member_id, but)
    await reset_queries.discard_resets(conn, member_id)


def _require_other(actor: Actor, member_id: UUID, refusal: str) -> None:
    if actor.via_id == member_id:
        raise Conflict(refusal)


async def _member_by_email(conn: Connection, email: str) -> UUID:
    member_id = await member_queries.find_member(conn, email)
    if member_id is None:
        raise NotFound("There is no member with the e-mail address {email}.", email=email)
    return member_id

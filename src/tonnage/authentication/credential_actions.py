"""What others than the member can do about its password and second factor."""

from uuid import UUID

from tonnage.access.actor import Actor, Kind, Role
from tonnage.authentication import reset_queries, second_factor_actions, session_queries
from tonnage.db import Connection
from tonnage.errors import Conflict, NotFound, Sentence
from tonnage.members import queries as member_queries
from tonnage.members.actions import hold_member, no_member

_OWN_PASSWORD = Sentence("This is your own password; change it in your profile.")
_OWN_FACTOR = Sentence("This is your own second factor; change it in your profile.")


async def set_password(
    conn: Connection, actor: Actor, organisation_id: UUID, member_id: UUID, password_hash: str
) -> None:
    """A new password for somebody else, whose sessions end. Conflict: one's own needs the present one as well."""
    _require_other(actor, member_id, _OWN_PASSWORD)
    async with conn.transaction():
        await hold_member(conn, actor, organisation_id, member_id, Role.ADMIN, Role.STAFF)
        await replace_password(conn, actor, member_id, password_hash, but=None)


async def reset_second_factor(conn: Connection, actor: Actor, organisation_id: UUID, member_id: UUID) -> None:
    """For somebody else, who has lost it. Its sessions end; the password is enough for the next one.

    Conflict: one's own is removed with a code.
    """
    _require_other(actor, member_id, _OWN_FACTOR)
    async with conn.transaction():
        await hold_member(conn, actor, organisation_id, member_id, Role.ADMIN, Role.STAFF)
        await second_factor_actions.reset_second_factor(conn, actor, organisation_id, member_id)


async def set_member_password(conn: Connection, actor: Actor, email: str, password_hash: str) -> None:
    """For the operator: a new password for any member. NotFound: nobody has that address."""
    actor.require(Kind.OPERATOR, Role.ADMIN)
    async with conn.transaction():
        await replace_password(conn, actor, await _member_by_email(conn, email), password_hash, but=None)


async def reset_member_factor(conn: Connection, actor: Actor, email: str) -> None:
    """For the operator: any member's second factor goes, and its sessions. NotFound: nobody has that address."""
    actor.require(Kind.OPERATOR, Role.ADMIN)
    async with conn.transaction():
        await second_factor_actions.reset_second_factor(conn, actor, None, await _member_by_email(conn, email))


async def replace_password(
    conn: Connection, actor: Actor, member_id: UUID, password_hash: str, *, but: UUID | None
) -> None:
    """In the caller's transaction. Ends all sessions of the member but one, and every link that is under way."""
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

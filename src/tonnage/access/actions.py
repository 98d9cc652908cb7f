"""What can be done to organisations, members and API keys."""

from datetime import datetime
from uuid import UUID

from psycopg.errors import UniqueViolation

from tonnage.access import key_queries, queries
from tonnage.access.actor import Actor, Kind, Role
from tonnage.access.keys import NewKey, new_key
from tonnage.access.member import NewMember
from tonnage.db import Connection, attempt
from tonnage.errors import Conflict, NotFound


async def create_distributor(
    conn: Connection, actor: Actor, name: str, now: datetime, *, distributor_id: UUID | None = None
) -> UUID:
    """The id of a new distributor."""
    actor.require(Kind.OPERATOR, Role.ADMIN)
    return await queries.insert_distributor(conn, distributor_id, name, now, actor.stamp)


async def create_partner_member(
    conn: Connection, actor: Actor, partner_id: UUID, member: NewMember, now: datetime
) -> bytes:
    """The new member of a partner as JSON. NotFound: not the actor's partner. Conflict: the e-mail is taken."""
    actor.require(Kind.DISTRIBUTOR, Role.STAFF)
    created = await _insert_member(conn, actor, partner_id, actor.organisation_id, member, now)
    if created is None:
        raise no_partner(partner_id)
    return created


async def create_team_member(conn: Connection, actor: Actor, member: NewMember, now: datetime) -> bytes:
    """The new member of the actor's own organisation as JSON. Conflict: the e-mail is taken."""
    actor.require(actor.kind, Role.ADMIN)
    created = await _insert_member(conn, actor, actor.organisation_id, None, member, now)
    if created is None:
        raise NotFound(f"There is no organisation {actor.organisation_id}.")
    return created


async def _insert_member(
    conn: Connection, actor: Actor, organisation_id: UUID, parent: UUID | None, member: NewMember, now: datetime
) -> bytes | None:
    try:
        async with attempt(conn):
            return await queries.insert_member(conn, organisation_id, parent, member, now, actor.stamp)
    except UniqueViolation as error:
        raise Conflict(f"There is a member with the e-mail address {member.email} already; use another one.") from error


async def delete_partner_member(conn: Connection, actor: Actor, partner_id: UUID, member_id: UUID) -> None:
    """Ends a login at once. A distributor may remove a partner's last admin: it can make another one."""
    actor.require(Kind.DISTRIBUTOR, Role.ADMIN)
    if not await queries.delete_partner_member(conn, actor.organisation_id, partner_id, member_id, actor.stamp):
        raise NotFound(f"There is no member {member_id} in a partner {partner_id} of yours.")


async def set_member_password(conn: Connection, actor: Actor, email: str, password_hash: str) -> None:
    """For the operator: a new password for any member. NotFound: nobody has that address."""
    actor.require(Kind.OPERATOR, Role.ADMIN)
    if not await queries.set_member_password(conn, email, password_hash, actor.stamp):
        raise NotFound(f"There is no member with the e-mail address {email}.")


async def create_key(
    conn: Connection, actor: Actor, organisation_id: UUID, details: NewKey, now: datetime
) -> tuple[str, bytes]:
    """The key, to be shown this once, and its facts as JSON. For an organisation's own admins and the operator."""
    require_own(actor, organisation_id)
    key = new_key()
    facts = await key_queries.insert_key(conn, organisation_id, key, details, now, actor.stamp)
    if facts is None:
        raise NotFound(f"There is no organisation {organisation_id}.")
    return key, facts


async def revoke_key(conn: Connection, actor: Actor, key_id: UUID, now: datetime) -> None:
    """Ends a key, on every process within a second. Doing it again changes nothing."""
    require_own(actor, actor.organisation_id)
    scope = None if actor.kind is Kind.OPERATOR else actor.organisation_id
    if not await key_queries.revoke_key(conn, scope, key_id, now, actor.stamp):
        raise NotFound(f"There is no API key {key_id}.")


def require_own(actor: Actor, organisation_id: UUID) -> None:
    """Its own team and keys are an organisation's admins' business, and the operator's."""
    if actor.kind is not Kind.OPERATOR and actor.organisation_id != organisation_id:
        raise NotFound(f"There is no organisation {organisation_id}.")
    actor.require(actor.kind, Role.ADMIN)


def no_partner(partner_id: UUID) -> NotFound:
    """The same words for a partner that never was, that is closed, and that is somebody else's."""
    return NotFound(f"There is no partner {partner_id} of yours.")

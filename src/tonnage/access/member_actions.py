"""What can be done to members: by the admins of their own organisation, by its distributor, by the operator.

All but the two of the published API take the organisation whose team it is, and find out by that what the actor needs:
in its own, the role of admin; in a partner of its own, what the table of roles says; the operator's admins may do
everything everywhere.
"""

from datetime import datetime
from uuid import UUID

from psycopg.errors import UniqueViolation

from tonnage.access import factor_actions, member_queries, reset_queries, session_queries
from tonnage.access.actions import no_partner
from tonnage.access.actor import Actor, Kind, Role
from tonnage.access.member import NewMember, leaves_no_admin
from tonnage.db import Connection, attempt
from tonnage.errors import Conflict, NotFound, Sentence

_LAST_ADMIN = Sentence("This is the only admin; make another member an admin first.")
_OWN_PASSWORD = Sentence("This is your own password; change it in your profile.")
_OWN_FACTOR = Sentence("This is your own second factor; change it in your profile.")


async def create_partner_member(
    conn: Connection, actor: Actor, partner_id: UUID, member: NewMember, now: datetime
) -> bytes:
    """The new member of a partner as JSON. NotFound: not the actor's partner. Conflict: the e-mail is taken."""
    actor.require(Kind.DISTRIBUTOR, Role.STAFF)
    created = await _insert(conn, actor, partner_id, actor.organisation_id, member, now)
    if created is None:
        raise no_partner(partner_id)
    return created


async def create_team_member(conn: Connection, actor: Actor, member: NewMember, now: datetime) -> bytes:
    """The new member of the actor's own organisation as JSON. Conflict: the e-mail is taken."""
    return await create_member(conn, actor, actor.organisation_id, member, now)


async def create_member(
    conn: Connection, actor: Actor, organisation_id: UUID, member: NewMember, now: datetime
) -> bytes:
    """The new member as JSON. Conflict: the e-mail is taken."""
    parent = _parent(actor, organisation_id, Role.STAFF)
    created = await _insert(conn, actor, organisation_id, parent, member, now)
    if created is None:
        raise _no_organisation(organisation_id)
    return created


async def change_member(
    conn: Connection, actor: Actor, organisation_id: UUID, member_id: UUID, name: str | None, role: Role
) -> None:
    """Another name or role, from the member's next request on. Conflict: the actor's organisation needs an admin."""
    async with conn.transaction():
        await _hold(conn, actor, organisation_id, member_id, role, Role.STAFF)
        await member_queries.update_member(conn, member_id, name, role, actor.stamp)


async def delete_member(conn: Connection, actor: Actor, organisation_id: UUID, member_id: UUID) -> None:
    """Ends a login at once. Conflict: the actor's organisation needs an admin; elsewhere it can make another one."""
    async with conn.transaction():
        await _hold(conn, actor, organisation_id, member_id, None, Role.ADMIN)
        await member_queries.delete_member(conn, member_id, actor.stamp)


async def delete_partner_member(conn: Connection, actor: Actor, partner_id: UUID, member_id: UUID) -> None:
    """Ends a login at once. A distributor may remove a partner's last admin: it can make another one."""
    actor.require(Kind.DISTRIBUTOR, Role.ADMIN)
    if not await member_queries.delete_partner_member(conn, actor.organisation_id, partner_id, member_id, actor.stamp):
        raise NotFound(
            "There is no member {member} in a partner {partner} of yours.",
            member=str(member_id),
            partner=str(partner_id),
        )


async def set_password(
    conn: Connection, actor: Actor, organisation_id: UUID, member_id: UUID, password_hash: str
) -> None:
    """A new password for somebody else, whose sessions end. Conflict: one's own needs the present one as well."""
    _require_other(actor, member_id, _OWN_PASSWORD)
    async with conn.transaction():
        await _hold(conn, actor, organisation_id, member_id, Role.ADMIN, Role.STAFF)
        await replace_password(conn, actor, member_id, password_hash, but=None)


async def reset_second_factor(conn: Connection, actor: Actor, organisation_id: UUID, member_id: UUID) -> None:
    """For somebody else, who has lost it. Its sessions end; the password is enough for the next one.

    Conflict: one's own is removed with a code.
    """
    _require_other(actor, member_id, _OWN_FACTOR)
    async with conn.transaction():
        await _hold(conn, actor, organisation_id, member_id, Role.ADMIN, Role.STAFF)
        await factor_actions.reset_second_factor(conn, actor, organisation_id, member_id)


async def set_member_password(conn: Connection, actor: Actor, email: str, password_hash: str) -> None:
    """For the operator: a new password for any member. NotFound: nobody has that address."""
    actor.require(Kind.OPERATOR, Role.ADMIN)
    async with conn.transaction():
        await replace_password(conn, actor, await _known(conn, email), password_hash, but=None)


async def reset_member_factor(conn: Connection, actor: Actor, email: str) -> None:
    """For the operator: any member's second factor goes, and its sessions. NotFound: nobody has that address."""
    actor.require(Kind.OPERATOR, Role.ADMIN)
    async with conn.transaction():
        await factor_actions.reset_second_factor(conn, actor, None, await _known(conn, email))


async def replace_password(
    conn: Connection, actor: Actor, member_id: UUID, password_hash: str, *, but: UUID | None
) -> None:
    """In the caller's transaction. Ends all sessions of the member but one, and every link that is under way."""
    if not await member_queries.set_password(conn, member_id, password_hash, actor.stamp):
        raise _no_member(member_id)
    await session_queries.end_others(conn, member_id, but)
    await reset_queries.discard_resets(conn, member_id)


async def _insert(
    conn: Connection, actor: Actor, organisation_id: UUID, parent: UUID | None, member: NewMember, now: datetime
) -> bytes | None:
    try:
        async with attempt(conn):
            return await member_queries.insert_member(conn, organisation_id, parent, member, now, actor.stamp)
    except UniqueViolation as error:
        raise Conflict(
            "There is a member with the e-mail address {email} already; use another one.", email=member.email
        ) from error


async def _hold(
    conn: Connection, actor: Actor, organisation_id: UUID, member_id: UUID, role: Role | None, needed: Role
) -> None:
    """Holds the team for a change that gives the member `role`, or removes it (None)."""
    team = await member_queries.hold_team(conn, organisation_id, _parent(actor, organisation_id, needed))
    if team is None:
        raise _no_organisation(organisation_id)
    if member_id not in team:
        raise _no_member(member_id)
    if organisation_id == actor.organisation_id and leaves_no_admin(team, member_id, role):
        raise Conflict(_LAST_ADMIN)


def _parent(actor: Actor, organisation_id: UUID, of_a_partners: Role) -> UUID | None:
    """What the organisation's parent must be; None: it need have none. Checks the role that it takes there."""
    if actor.organisation_id == organisation_id or actor.kind is Kind.OPERATOR:
        actor.require(actor.kind, Role.ADMIN)
        return None
    if actor.kind is Kind.PARTNER:
        raise _no_organisation(organisation_id)
    actor.require(Kind.DISTRIBUTOR, of_a_partners)
    return actor.organisation_id


def _require_other(actor: Actor, member_id: UUID, refusal: str) -> None:
    if actor.via_id == member_id:
        raise Conflict(refusal)


async def _known(conn: Connection, email: str) -> UUID:
    member_id = await member_queries.find_member(conn, email)
    if member_id is None:
        raise NotFound("There is no member with the e-mail address {email}.", email=email)
    return member_id


def _no_organisation(organisation_id: UUID) -> NotFound:
    return NotFound("There is no organisation {organisation}.", organisation=str(organisation_id))


def _no_member(member_id: UUID) -> NotFound:
    return NotFound("There is no member {member}.", member=str(member_id))

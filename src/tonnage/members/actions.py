"""Actions on members: by the admins of their own organisation, by its distributor, and by the operator.

All but the two of the published API take the id of the member's organisation, and derive the required role from it: in
the actor's own organisation the role of admin; in one of its partners what the table of roles says, and at least the
role that the member has or gets. The operator's admins may do everything in every organisation.
"""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from psycopg.errors import UniqueViolation

from tonnage.access.actor import Actor, Kind, Role
from tonnage.config import DEFAULT_LIMITS, Limits
from tonnage.db import Connection, broken_constraint
from tonnage.db.rendered import Rendered
from tonnage.error_codes import ConflictCode
from tonnage.errors import Conflict, EditConflict, NotFound, Sentence
from tonnage.jobs import defer
from tonnage.members import profile_queries, queries
from tonnage.members.member import (
    MemberChange,
    NewMember,
    ProfileChange,
    TeamMember,
    leaves_no_admin,
    no_member,
    require_role,
)
from tonnage.organisations.organisation import no_organisation, no_partner
from tonnage.organisations.queries import hold_open_organisation

LAST_ADMIN = Sentence("This is the only admin who can sign in. Make another member an admin first.")


async def create_partner_member(
    conn: Connection,
    actor: Actor,
    partner_id: UUID,
    member: NewMember,
    now: datetime,
    *,
    limits: Limits = DEFAULT_LIMITS,
) -> Rendered[UUID]:
    """Returns the new member of a partner. NotFound: not the actor's partner. Forbidden: its role is above the actor's.
    Conflict: the e-mail address is taken, or the partner has the greatest number of members.
    """
    actor.require(Kind.DISTRIBUTOR, Role.STAFF)
    require_role(actor, member.role)
    _require_proof_for(actor, member.role)
    created = await _insert(conn, actor, partner_id, actor.organisation_id, member, limits, now)
    if created is None:
        raise no_partner(partner_id)
    return created


async def require_partner(conn: Connection, actor: Actor, partner_id: UUID, role: Role) -> None:
    """For what is expensive and comes before a new member of that role. NotFound: not the actor's partner."""
    require_role(actor, role)
    if not await queries.is_open(conn, partner_id, actor.organisation_id):
        raise no_partner(partner_id)


async def require_organisation(conn: Connection, actor: Actor, organisation_id: UUID, role: Role) -> None:
    """The same for an organisation whose members the actor may create."""
    require_role(actor, role)
    if not await queries.is_open(conn, organisation_id, required_parent(actor, organisation_id, Role.STAFF)):
        raise no_organisation(organisation_id)


async def create_team_member(
    conn: Connection, actor: Actor, member: NewMember, now: datetime, *, limits: Limits = DEFAULT_LIMITS
) -> Rendered[UUID]:
    """As `create_member`, in the actor's own organisation."""
    return await create_member(conn, actor, actor.organisation_id, member, now, limits=limits)


async def create_member(
    conn: Connection,
    actor: Actor,
    organisation_id: UUID,
    member: NewMember,
    now: datetime,
    *,
    limits: Limits = DEFAULT_LIMITS,
) -> Rendered[UUID]:
    """Returns the new member. Forbidden: its role is above the actor's. Conflict: the e-mail address is taken, or the
    organisation has the greatest number of members.
    """
    parent = required_parent(actor, organisation_id, Role.STAFF)
    require_role(actor, member.role)
    _require_proof_for(actor, member.role)
    created = await _insert(conn, actor, organisation_id, parent, member, limits, now)
    if created is None:
        raise no_organisation(organisation_id)
    return created


async def change_member(
    conn: Connection,
    actor: Actor,
    organisation_id: UUID,
    member_id: UUID,
    change: MemberChange,
    *,
    expected: MemberChange | None = None,
) -> None:
    """Changes name or role, effective with the member's next request. Conflict: the actor's organisation needs an
    admin. Forbidden: its role is above the actor's, or would be.

    EditConflict: a field that changes is no longer as `expected`.
    """
    async with conn.transaction():
        team = await hold_team(conn, actor, organisation_id, member_id, Role.STAFF)
        if change.role is not None:
            require_role(actor, change.role)
            if team[member_id].role is not Role.ADMIN:
                _require_proof_for(actor, change.role)
            _keep_an_admin(actor, organisation_id, team, member_id, change.role)
        is_applied, entry = await queries.update_member(conn, member_id, change, expected, actor.stamp)
        if not is_applied:
            raise EditConflict
        if entry is not None and change.role not in {None, team[member_id].role}:
            await defer(conn, "notices.notify", entry)


async def delete_member(conn: Connection, actor: Actor, organisation_id: UUID, member_id: UUID) -> None:
    """Deletes a login at once. Conflict: it is the last admin of the actor's own organisation. In another organisation
    the actor can create a new admin.
    """
    async with conn.transaction():
        team = await hold_team(conn, actor, organisation_id, member_id, Role.ADMIN)
        _keep_an_admin(actor, organisation_id, team, member_id, None)
        await queries.delete_member(conn, member_id, actor.stamp)


async def delete_partner_member(conn: Connection, actor: Actor, partner_id: UUID, member_id: UUID) -> None:
    """Deletes a login at once. A distributor may delete a partner's last admin, because it can create another one."""
    actor.require(Kind.DISTRIBUTOR, Role.ADMIN)
    if not await queries.delete_partner_member(conn, actor.organisation_id, partner_id, member_id, actor.stamp):
        raise NotFound(
            "There is no member {member} in partner {partner}.",
            member=str(member_id),
            partner=str(partner_id),
        )


async def find_member(conn: Connection, email: str) -> tuple[UUID, UUID]:
    """The ids of a member's organisation and of the member. NotFound: no member has that address."""
    found = await queries.find_member(conn, email)
    if found is None:
        raise NotFound("There is no member with the e-mail address {email}.", email=email)
    return found


async def _insert(
    conn: Connection,
    actor: Actor,
    organisation_id: UUID,
    parent: UUID | None,
    member: NewMember,
    limits: Limits,
    now: datetime,
) -> Rendered[UUID] | None:
    """None if the organisation is not open, or is not a partner of `parent`.

    `parent` None: the actor adds a member to its own organisation. A distributor is not a partner of itself: otherwise
    its staff could create admins of their own organisation. The lock waits for a concurrent closing of the
    organisation, and then finds it closed.
    """
    try:
        async with conn.transaction():
            if not await hold_open_organisation(conn, organisation_id, parent):
                return None
            created = await queries.insert_member(conn, organisation_id, member, limits.members, now, actor.stamp)
    except UniqueViolation as error:
        if broken_constraint(error) != "member_email":
            raise
        raise Conflict(
            "The e-mail address {email} cannot be used for a new member. Use another one.",
            ConflictCode.EMAIL_TAKEN,
            email=member.email,
        ) from error
    if created is None:
        raise Conflict(
            "The organisation has the maximum number of members, {limit}. Remove one first, or ask the operator for "
            "more.",
            ConflictCode.TOO_MANY_MEMBERS,
            limit=limits.members,
        )
    return created


async def hold_team(
    conn: Connection, actor: Actor, organisation_id: UUID, member_id: UUID, needed: Role
) -> Mapping[UUID, TeamMember]:
    """Locks the organisation's members for a change of one of them; returns their roles. Forbidden: that one's role is
    above the actor's.
    """
    team = await queries.hold_team(conn, organisation_id, required_parent(actor, organisation_id, needed))
    if team is None:
        raise no_organisation(organisation_id)
    if member_id not in team:
        raise no_member(member_id)
    require_role(actor, team[member_id].role)
    return team


def _require_proof_for(actor: Actor, role: Role) -> None:
    """Raises ReauthenticationRequired for a new admin: it could give access to others, and take it from the actor."""
    if role is Role.ADMIN:
        actor.require_recent_authentication()


def _keep_an_admin(
    actor: Actor, organisation_id: UUID, team: Mapping[UUID, TeamMember], member_id: UUID, role: Role | None
) -> None:
    if organisation_id == actor.organisation_id and leaves_no_admin(team, member_id, role):
        raise Conflict(LAST_ADMIN, ConflictCode.LAST_ADMIN)


def required_parent(actor: Actor, organisation_id: UUID, of_a_partners: Role) -> UUID | None:
    """Returns the required parent of the organisation; None: no parent is required. Checks the role that this takes."""
    if actor.organisation_id == organisation_id or actor.kind is Kind.OPERATOR:
        actor.require(actor.kind, Role.ADMIN)
        return None
    if actor.kind is Kind.PARTNER:
        raise no_organisation(organisation_id)
    actor.require(Kind.DISTRIBUTOR, of_a_partners)
    return actor.organisation_id


async def change_profile(
    conn: Connection, actor: Actor, member_id: UUID, change: ProfileChange, *, expected: ProfileChange | None = None
) -> None:
    """Changes the profile of a member, who is the actor. The caller has checked that locale and time zone exist.

    EditConflict: a field that changes is no longer as `expected`.
    """
    if not await profile_queries.update_profile(conn, member_id, change, expected, actor.stamp):
        raise EditConflict

"""A member: a person with a console login in one organisation."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from tonnage.access.actor import Actor, Role
from tonnage.error_codes import RequestCode
from tonnage.errors import Forbidden, NotFound, Sentence

MEMBER_LOCKED = Sentence("Your login is locked. Ask an admin of your organisation to unlock it.")
"""Only for those who know the right password: others do not learn whether there is such a login."""


class TeamMember(NamedTuple):
    """What a member of a team may do."""

    role: Role
    can_sign_in: bool = True
    """Its login is not locked."""

    @property
    def is_working_admin(self) -> bool:
        """Whether it can add or unlock other members."""
        return self.role is Role.ADMIN and self.can_sign_in


def leaves_no_admin(team: Mapping[UUID, TeamMember], member_id: UUID, role: Role | None) -> bool:
    """Whether an organisation with an admin who can sign in has none once that member gets `role`, or cannot sign in
    any more (None).
    """
    others = [member for other, member in team.items() if other != member_id]
    return (
        team[member_id].is_working_admin
        and role is not Role.ADMIN
        and not any(member.is_working_admin for member in others)
    )


def require_role(actor: Actor, of_member: Role) -> None:
    """Forbidden: a member of that role is above the actor. Who sets a member's password can sign in as that member, so
    staff would become admin.
    """
    if not actor.role.includes(of_member):
        raise Forbidden(
            "Only an admin can create, change or reset a member with the role {role}; yours is {own}.",
            RequestCode.ROLE_TOO_LOW,
            role=of_member,
            own=actor.role,
        )


@dataclass(frozen=True)
class MemberChange:
    """The fields to change; None leaves a field as it is."""

    name: str | None = None
    """"" removes it."""
    role: Role | None = None


@dataclass(frozen=True)
class ProfileChange:
    """The fields of its own profile that a member changes; None leaves a field as it is."""

    name: str | None = None
    """"" removes it."""
    locale: str | None = None
    """"": the browser's preference."""
    time_zone: str | None = None


@dataclass(frozen=True)
class NewMember:
    """The data of a new member. The password is hashed beforehand: hashing is slow, and must not hold a connection."""

    email: str
    role: Role
    password_hash: str
    name: str | None = None


def no_member(member_id: UUID) -> NotFound:
    """The member does not exist, or belongs to an organisation that is out of scope."""
    return NotFound("There is no member {member}.", member=str(member_id))

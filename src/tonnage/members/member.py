"""A member: a person with a console login in one organisation."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from tonnage.access.actor import Role


def leaves_no_admin(team: Mapping[UUID, Role], member_id: UUID, role: Role | None) -> bool:
    """Whether a team with an admin has none when that member gets `role`, or goes (None)."""
    others = [held for other, held in team.items() if other != member_id]
    return team[member_id] is Role.ADMIN and role is not Role.ADMIN and Role.ADMIN not in others


@dataclass(frozen=True)
class MemberChange:
    """What changes; None leaves a thing as it is."""

    name: str | None = None
    """"" removes it."""
    role: Role | None = None


@dataclass(frozen=True)
class ProfileChange:
    """What a member changes of its own profile; None leaves a thing as it is."""

    name: str | None = None
    """"" removes it."""
    locale: str | None = None
    """"": as the browser asks."""
    time_zone: str | None = None


@dataclass(frozen=True)
class NewMember:
    """What it takes to create one. The hash is made beforehand: it takes long, and no connection should wait for it."""

    email: str
    role: Role
    password_hash: str
    name: str | None = None

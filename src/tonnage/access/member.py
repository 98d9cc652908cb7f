"""A member: a person with a console login in one organisation."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from tonnage.access.actor import Role

_LONGEST = 1000
"""Characters, of which an address has 254 once it is composed."""


def email_key(email: str) -> str:
    """The form in which addresses are compared, so that `Ann@example.org` cannot exist beside `ann@example.org`."""
    return email.casefold()


def as_typed(email: str) -> str:
    """An address as somebody types it, in the form in which addresses are kept. It need not be one at all."""
    # Cut, since strangers send what they like: a megabyte of combining marks takes Python minutes to put in order.
    typed = email.replace("\0", "").strip()[:_LONGEST]
    return unicodedata.normalize("NFC", typed).encode("utf-8", "replace").decode()


def leaves_no_admin(team: Mapping[UUID, Role], member_id: UUID, role: Role | None) -> bool:
    """Whether a team with an admin has none when that member gets `role`, or goes (None)."""
    others = [held for other, held in team.items() if other != member_id]
    return team[member_id] is Role.ADMIN and role is not Role.ADMIN and Role.ADMIN not in others


@dataclass(frozen=True)
class NewMember:
    """What it takes to create one. The hash is made beforehand: it takes long, and no connection should wait for it."""

    email: str
    role: Role
    password_hash: str
    name: str | None = None

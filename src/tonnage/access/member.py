"""A member: a person with a console login in one organisation."""

from dataclasses import dataclass

from tonnage.access.actor import Role


def email_key(email: str) -> str:
    """The form in which addresses are compared, so that `Ann@example.org` cannot exist beside `ann@example.org`."""
    return email.casefold()


@dataclass(frozen=True)
class NewMember:
    """What it takes to create one. The hash is made beforehand: it takes long, and no connection should wait for it."""

    email: str
    role: Role
    password_hash: str
    name: str | None = None

"""A session: what a cookie stands for. It is made at sign-in, and known by the digest of its token only."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from tonnage.access.actor import Actor
from tonnage.errors import Sentence

LONGEST = timedelta(days=30)
"""After which a session ends however much it is used."""

CODE_WAIT = timedelta(minutes=10)
"""How long a code may follow the password."""

SESSION_ENDED = Sentence("The session has ended; sign in again.")

_AGENT = 200


class Stage(StrEnum):
    """What a session is good for."""

    CODE = "code"
    """The password was given, the code of the second factor is wanted."""
    ENROLMENT = "enrolment"
    """The organisation demands a second factor and the member has none: only the pages open that make one.

    No session is kept as such: it is an open one, for as long as that is so.
    """
    OPEN = "open"


@dataclass(frozen=True)
class ClientInfo:
    """Who is at the other end of the connection."""

    address: str
    agent: str
    """What the browser says of itself."""

    @property
    def kept_agent(self) -> str:
        """Of the agent, what is worth keeping, and what the database can hold."""
        return "".join(character for character in self.agent if character.isprintable())[:_AGENT]


@dataclass(frozen=True)
class SignedInMember:
    """A member in a session. The organisation is open, or there would be none."""

    session_id: UUID
    member_id: UUID
    actor: Actor
    """Acts as the member (`via`), with the role that it has at this moment."""
    organisation_name: str
    email: str
    name: str | None
    locale: str | None
    """Such as `en_GB`; None: as the browser asks."""
    time_zone: str | None
    """A name of the IANA database; None: UTC."""
    has_second_factor: bool
    second_factor_required: bool
    """By the organisation."""
    stage: Stage
    since: datetime
    """When the session began."""


def new_token() -> str:
    """256 random bits for a cookie or a link."""
    return secrets.token_urlsafe(32)


def digest(token: str) -> bytes:
    """What is stored of a token and looked up. Nobody can try them all, so a plain SHA-256 is enough."""
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()

"""A session: what a cookie identifies. It is created at sign-in; only the digest of its token is stored."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from tonnage.access.actor import Actor
from tonnage.errors import Sentence

LONGEST = timedelta(days=30)
"""The maximum age of a session, however much it is used."""

CODE_WAIT = timedelta(minutes=10)
"""How long after the password a code is accepted."""

REAUTHENTICATE_AFTER = timedelta(minutes=10)
"""How long after the password or code a session may do what can give others access."""

SESSION_ENDED = Sentence("Your session has ended. Sign in again.")

_AGENT = 200


class Stage(StrEnum):
    """What a session may be used for."""

    CODE = "code"
    """The password was accepted; the code of the second factor is still missing."""
    ENROLMENT = "enrolment"
    """The organisation requires a second factor and the member has none: only the pages that set one up are available.

    This stage is not stored. An open session is in it for as long as the condition holds.
    """
    OPEN = "open"


@dataclass(frozen=True)
class ClientInfo:
    """The client of a request."""

    address: str
    agent: str
    """The User-Agent header."""
    device: str = ""
    """The token of the cookie of a known device, or empty."""

    @property
    def kept_agent(self) -> str:
        """The User-Agent as it is stored: shortened, and without what the database cannot store."""
        return "".join(character for character in self.agent if character.isprintable())[:_AGENT]


@dataclass(frozen=True)
class SignedInMember:
    """A member in a session. Its organisation is open; otherwise there would be no session."""

    session_id: UUID
    member_id: UUID
    actor: Actor
    """Acts as the member (`via`), with the member's current role."""
    organisation_name: str
    email: str
    name: str | None
    locale: str | None
    """A locale such as `en_GB`; None: the browser's preference."""
    time_zone: str | None
    """A name of the IANA time zone database; None: UTC."""
    has_second_factor: bool
    second_factor_required: bool
    """Whether the organisation requires a second factor."""
    stage: Stage
    since: datetime
    """When the session began."""

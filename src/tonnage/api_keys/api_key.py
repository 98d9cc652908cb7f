"""API keys: their format, and what is stored of them.

A key is `tng_`, 32 random base-62 characters (190 bits) and 6 characters of checksum. A secret scanner can find a
leaked key by its prefix and verify it by its checksum. A mistyped key is refused without a query.
"""

import re
import secrets
import string
import zlib
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tonnage.access.actor import Actor, Kind, Role
from tonnage.api_keys.rate_limit import DEFAULT, KeyLimit
from tonnage.error_codes import RequestCode
from tonnage.errors import Forbidden, NotFound, Unauthenticated
from tonnage.organisations.organisation import organisation_locked

PREFIX = "tng_"
_ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
_FORM = re.compile(rf"{PREFIX}[0-9A-Za-z]{{38}}")
_HINT = len(PREFIX) + 4


def _checksum(body: str) -> str:
    number = zlib.crc32(body.encode())
    digits = ""
    for _ in range(6):
        number, digit = divmod(number, len(_ALPHABET))
        digits = _ALPHABET[digit] + digits
    return digits


def new_key() -> str:
    """Returns a new key. It is shown once, to the person who creates it; only its digest is stored."""
    body = "".join(secrets.choice(_ALPHABET) for _ in range(32))
    return f"{PREFIX}{body}{_checksum(body)}"


def is_well_formed(key: str) -> bool:
    """Whether this can be a key at all: prefix, length, alphabet and checksum."""
    return _FORM.fullmatch(key) is not None and _checksum(key[len(PREFIX) : -6]) == key[-6:]


def key_prefix(key: str) -> str:
    """The first characters, by which people distinguish their keys."""
    return key[:_HINT]


@dataclass(frozen=True)
class KnownKey:
    """A key as stored in the database. Its organisation is open; otherwise the key would not be found."""

    id: UUID
    actor: Actor
    valid_until: datetime | None
    revoked_at: datetime | None
    lock_reason: str | None
    """Why its organisation is locked; None: it is not."""
    requests_per_second: int | None
    """Its own limit; None: the default of the installation."""

    @classmethod
    def of_row(
        cls, row: tuple[UUID, UUID, str, str, datetime | None, datetime | None, str | None, int | None, str | None]
    ) -> "KnownKey":
        """From (key id, organisation id, its kind, role, valid until, revoked at, lock reason, requests per second,
        reason of its suspension).
        """
        key_id, organisation_id, kind, role, valid_until, revoked_at, lock_reason, requests_per_second, suspended = row
        actor = Actor(organisation_id, Kind(kind), Role(role), "key", key_id, suspension_reason=suspended)
        return cls(key_id, actor, valid_until, revoked_at, lock_reason, requests_per_second)

    def admit(self, now: datetime) -> Actor:
        """Returns the actor that the key authenticates. Unauthenticated, with the reason: the key is revoked or
        expired. Forbidden: its organisation is locked.
        """
        if self.revoked_at is not None:
            raise Unauthenticated("This API key has been revoked. Use another one.", RequestCode.KEY_REVOKED)
        if self.valid_until is not None and now >= self.valid_until:
            raise Unauthenticated(
                f"This API key expired at {self.valid_until:%Y-%m-%dT%H:%M:%SZ}. Use another one.",
                RequestCode.KEY_EXPIRED,
            )
        if self.lock_reason is not None:
            raise Forbidden(organisation_locked(self.lock_reason), RequestCode.ORGANISATION_LOCKED)
        return self.actor


def no_key(key_id: UUID) -> NotFound:
    """The same message for a key that does not exist and for one that is out of scope."""
    return NotFound("There is no API key {key}.", key=str(key_id))


@dataclass(frozen=True)
class NewKey:
    """The properties of a new key."""

    description: str
    role: Role
    valid_until: datetime | None = None
    limit: KeyLimit = DEFAULT

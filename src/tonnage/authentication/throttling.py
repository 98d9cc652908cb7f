"""Throttling of password and code attempts: what is counted together, and the limits.

A count rises by one with every failure and decays evenly with time, by `failures` in a `period`. When it reaches
`failures`, where a failure that has decayed in part counts in full, the subject is blocked for one minute, and twice as
long with each further failure. The count does not decay during a block.

Apart from that, failures at one e-mail address from everywhere are counted by hour: see `AddressFailures`.
"""

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from ipaddress import IPv6Address, ip_address, ip_network
from uuid import UUID

from tonnage.email_address import email_key
from tonnage.utc import hour_of

SHORTEST_BLOCK = timedelta(minutes=1)
LONGEST_BLOCK = timedelta(days=1)

WARNED_AT = 30
"""Failures at one address in an hour, from everywhere, that its member is warned of."""
MOST_AT_ADDRESS = 100
"""Failures at one address in an hour, from everywhere. After them the password alone is not enough for the rest of the
hour: a known device is needed, too. A block would lock the member out."""

PROXY_SHOWN_FOR = timedelta(days=1)
"""How long a peer that sends `X-Forwarded-For`, and is no trusted proxy, is shown to the operator."""

_SITE = 3
"""How many times the limit of a /64 its /48 has: mostly one site, sometimes a provider's customers."""


class ThrottleKind(StrEnum):
    """What is counted together: see the functions below."""

    PAIR = "pair"
    CLIENT = "client"
    RESETS = "resets"
    DEVICE = "device"
    CODES = "codes"
    PASSWORDS = "passwords"


@dataclass(frozen=True)
class ThrottleKey:
    """A subject whose failures are counted together. Whose they are and where they come from is for those who look at
    blocks: the digest alone decides.
    """

    kind: ThrottleKind
    digest: bytes
    failures: int
    """The number of failures that leads to a block."""
    period: timedelta
    is_shared: bool = False
    """Others fail here too, so the success of one does not reset the count."""
    network: str | None = None
    email_key: str | None = None
    """The address that was tried. Only the id of its member is stored, if there is one."""
    member_id: UUID | None = None

    @property
    def forgotten_after(self) -> float:
        """The seconds in which the count decays by one."""
        return self.period.total_seconds() / self.failures


@dataclass(frozen=True)
class AddressFailures:
    """The failures at one e-mail address, whether a member has it or not, in the hour that begins then."""

    digest: bytes
    email_key: str
    """As above."""
    hour: datetime

    @classmethod
    def of(cls, email: str, now: datetime) -> "AddressFailures":
        """The failures in the present hour."""
        key = email_key(email)
        return cls(_digest("address", key), key, hour_of(now))


def nobody(email: str) -> UUID:
    """The id that stands for an address that no member has, where the same work is done as for a member."""
    return UUID(bytes=_digest("nobody", email_key(email))[:16])


def email_and_client(email: str, address: str) -> tuple[ThrottleKey, ...]:
    """A client at one e-mail address, whether a member has that address or not. With IPv6 its site, too."""
    return _of_networks(ThrottleKind.PAIR, address, 10, timedelta(days=1), email_key(email))


def client(address: str) -> tuple[ThrottleKey, ...]:
    """A client at all e-mail addresses. With IPv6 its site, too."""
    keys = _of_networks(ThrottleKind.CLIENT, address, 100, timedelta(hours=1))
    return tuple(replace(key, is_shared=True) for key in keys)


def resets_of(address: str) -> tuple[ThrottleKey, ...]:
    """A client that requests links, each of which sends a mail. With IPv6 its site, too."""
    return _of_networks(ThrottleKind.RESETS, address, 20, timedelta(hours=1))


def device(device_id: UUID, email: str) -> ThrottleKey:
    """A known device of the member with that address: what strangers do is not counted."""
    return _of_member(ThrottleKind.DEVICE, device_id, 10, email_key=email_key(email))


def codes_of(member_id: UUID) -> ThrottleKey:
    """The codes of a member, from all clients: an attacker who guesses codes has the password, and perhaps many
    machines.
    """
    return _of_member(ThrottleKind.CODES, member_id, 20, member_id=member_id)


def own_passwords_of(member_id: UUID) -> ThrottleKey:
    """The password that a member's open session is asked for again: an attacker who guesses it has the session."""
    return _of_member(ThrottleKind.PASSWORDS, member_id, 20, member_id=member_id)


def network_of(address: str) -> str:
    """The network that an address is counted as. For IPv6 it is the /64, since one client has 2^64 addresses in it."""
    return _networks(address)[0]


def _networks(address: str) -> list[str]:
    """The address; for IPv6 its /64 and its /48, of which one site has all."""
    try:
        read = ip_address(address)
    except ValueError:
        return [address]
    if not isinstance(read, IPv6Address):
        return [address]
    return [str(ip_network((read, bits), strict=False)) for bits in (64, 48)]


def _of_networks(
    kind: ThrottleKind, address: str, failures: int, period: timedelta, email_key: str | None = None
) -> tuple[ThrottleKey, ...]:
    parts = () if email_key is None else (email_key,)
    own, *sites = [
        ThrottleKey(kind, _digest(kind, *parts, network), failures, period, network=network, email_key=email_key)
        for network in _networks(address)
    ]
    return own, *(replace(site, failures=failures * _SITE, is_shared=True) for site in sites)


def _of_member(
    kind: ThrottleKind, counted: UUID, failures: int, *, email_key: str | None = None, member_id: UUID | None = None
) -> ThrottleKey:
    digest = _digest(kind, str(counted))
    return ThrottleKey(kind, digest, failures, timedelta(days=1), email_key=email_key, member_id=member_id)


def _digest(*parts: str) -> bytes:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).digest()

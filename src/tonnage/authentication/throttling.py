"""Throttling of password and code attempts: what is counted together, and the limits.

A count rises by one with every failure and decays evenly with time, by `failures` in a `period`. When it reaches
`failures`, where a failure that has decayed in part counts in full, the subject is blocked for one minute, and twice as
long with each further failure. The count does not decay during a block.

Apart from that, failures at one e-mail address from everywhere are counted by hour: see `AddressFailures`.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network
from uuid import UUID

from tonnage.email_address import email_key

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


@dataclass(frozen=True)
class ThrottleKey:
    """A subject whose failures are counted together."""

    digest: bytes
    failures: int
    """The number of failures that leads to a block."""
    period: timedelta
    is_shared: bool = False
    """Others fail here too, so the success of one does not reset the count."""

    @property
    def forgotten_after(self) -> float:
        """The seconds in which the count decays by one."""
        return self.period.total_seconds() / self.failures


@dataclass(frozen=True)
class AddressFailures:
    """The failures at one e-mail address, whether a member has it or not, in the hour that begins then."""

    digest: bytes
    hour: datetime

    @classmethod
    def of(cls, email: str, now: datetime) -> "AddressFailures":
        """The failures in the present hour."""
        return cls(_digest("address", email_key(email)), now.replace(minute=0, second=0, microsecond=0))


def email_and_client(email: str, address: str) -> tuple[ThrottleKey, ...]:
    """A client at one e-mail address, whether a member has that address or not. With IPv6 its site, too."""
    return _of_networks("pair", address, 10, timedelta(days=1), email_key(email))


def client(address: str) -> tuple[ThrottleKey, ...]:
    """A client at all e-mail addresses. With IPv6 its site, too."""
    return tuple(_shared(key) for key in _of_networks("client", address, 100, timedelta(hours=1)))


def resets_of(address: str) -> tuple[ThrottleKey, ...]:
    """A client that requests links, each of which sends a mail. With IPv6 its site, too."""
    return _of_networks("resets", address, 20, timedelta(hours=1))


def device(device_id: UUID) -> ThrottleKey:
    """A known device of a member: what strangers do is not counted."""
    return ThrottleKey(_digest("device", str(device_id)), 10, timedelta(days=1))


def codes_of(member_id: UUID) -> ThrottleKey:
    """The codes of a member, from all clients: an attacker who guesses codes has the password, and perhaps many
    machines.
    """
    return ThrottleKey(_digest("codes", str(member_id)), 20, timedelta(days=1))


def own_passwords_of(member_id: UUID) -> ThrottleKey:
    """The password that a member's open session is asked for again: an attacker who guesses it has the session."""
    return ThrottleKey(_digest("passwords", str(member_id)), 20, timedelta(days=1))


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


def _of_networks(kind: str, address: str, failures: int, period: timedelta, *parts: str) -> tuple[ThrottleKey, ...]:
    own, *sites = _networks(address)
    key = ThrottleKey(_digest(kind, *parts, own), failures, period)
    return key, *(ThrottleKey(_digest(kind, *parts, site), failures * _SITE, period, is_shared=True) for site in sites)


def _shared(key: ThrottleKey) -> ThrottleKey:
    return ThrottleKey(key.digest, key.failures, key.period, is_shared=True)


def _digest(*parts: str) -> bytes:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).digest()

"""Throttling of password and code attempts: what is counted together, and the limits.

A count rises by one with every failure and decays evenly with time, by `failures` in a `period`. When it reaches
`failures`, where a failure that has decayed in part counts in full, the subject is blocked for one minute, and twice as
long with each further failure. The count does not decay during a block.
"""

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import IPv6Address, ip_address, ip_network
from uuid import UUID

from tonnage.email_address import email_key

SHORTEST_BLOCK = timedelta(minutes=1)
LONGEST_BLOCK = timedelta(days=1)


@dataclass(frozen=True)
class ThrottleKey:
    """A subject whose failures are counted together."""

    digest: bytes
    failures: int
    """The number of failures that leads to a block."""
    period: timedelta

    @property
    def forgotten_after(self) -> float:
        """The seconds in which the count decays by one."""
        return self.period.total_seconds() / self.failures


def email_and_client(email: str, address: str) -> ThrottleKey:
    """A client at one e-mail address, whether a member has that address or not."""
    return ThrottleKey(_digest("pair", email_key(email), network_of(address)), 10, timedelta(days=1))


def client(address: str) -> ThrottleKey:
    """A client at all e-mail addresses."""
    return ThrottleKey(_digest("client", network_of(address)), 100, timedelta(hours=1))


def codes_of(member_id: UUID) -> ThrottleKey:
    """The codes of a member, from all clients: an attacker who guesses codes has the password, and perhaps many
    machines.
    """
    return ThrottleKey(_digest("codes", str(member_id)), 20, timedelta(days=1))


def resets_of(address: str) -> ThrottleKey:
    """A client that requests password resets, each of which sends a mail."""
    return ThrottleKey(_digest("resets", network_of(address)), 20, timedelta(hours=1))


def network_of(address: str) -> str:
    """The network that an address is counted as. For IPv6 it is the /64, since one client has 2^64 addresses in it."""
    try:
        read = ip_address(address)
    except ValueError:
        return address
    return str(ip_network((read, 64), strict=False)) if isinstance(read, IPv6Address) else address


def _digest(*parts: str) -> bytes:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).digest()

"""Guessing of passwords and codes: who is counted, and how much is too much.

A count rises by one with every failure and sinks evenly with time, by `failures` in a `period`. At `failures`, where
one that has sunk in part counts whole, the subject is blocked for a minute, and for twice as long with each further
one. While it is blocked nothing sinks.
"""

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import IPv6Address, ip_address, ip_network
from uuid import UUID

from tonnage.email_address import as_typed, email_key

SHORTEST_BLOCK = timedelta(minutes=1)
LONGEST_BLOCK = timedelta(days=1)


@dataclass(frozen=True)
class ThrottleKey:
    """Somebody whose failures are counted together."""

    digest: bytes
    failures: int
    """That lead to a block."""
    period: timedelta

    @property
    def forgotten_after(self) -> float:
        """Seconds in which the count sinks by one."""
        return self.period.total_seconds() / self.failures


def email_and_client(email: str, address: str) -> ThrottleKey:
    """A client at one e-mail address, whether anybody has that or not."""
    return ThrottleKey(_digest("pair", email_key(as_typed(email)), network_of(address)), 10, timedelta(days=1))


def client(address: str) -> ThrottleKey:
    """A client at all e-mail addresses."""
    return ThrottleKey(_digest("client", network_of(address)), 100, timedelta(hours=1))


def codes_of(member_id: UUID) -> ThrottleKey:
    """The codes of a member, from everywhere: who guesses at these has the password, and perhaps many machines."""
    return ThrottleKey(_digest("codes", str(member_id)), 20, timedelta(days=1))


def resets_of(address: str) -> ThrottleKey:
    """A client that asks for new passwords, each of which is a mail to somebody."""
    return ThrottleKey(_digest("resets", network_of(address)), 20, timedelta(hours=1))


def network_of(address: str) -> str:
    """Whom an address stands for: of IPv6, where one client has 2^64 of them, the /64."""
    try:
        read = ip_address(address)
    except ValueError:
        return address
    return str(ip_network((read, 64), strict=False)) if isinstance(read, IPv6Address) else address


def _digest(*parts: str) -> bytes:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).digest()

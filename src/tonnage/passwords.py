"""Hashes of passwords, and how many are computed at once."""

import asyncio
import secrets
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Hashable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import ParamSpec, TypeVar
from uuid import UUID

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from tonnage.errors import Busy, Sentence
from tonnage.fair_queue import FairQueue

P = ParamSpec("P")
T = TypeVar("T")

BUSY = Sentence("Too many passwords from you are being checked at this moment. Try again in a few seconds.")
_RETRY_AFTER = 2
_LONGEST_WAIT = 8.0
"""Seconds in the queue."""

_AT_ONCE = 2
"""Hashes that are computed at the same time."""

_REFUSAL_DELAY = 1.0
"""Seconds until a refusal is answered: a client that tries again at once must not keep the process busy with that."""

PER_NETWORK = 4
"""Two in progress and two waiting."""
PER_ORGANISATION = 4


@dataclass(frozen=True)
class Requester:
    """The client and the organisation that a password is hashed for."""

    network: str
    organisation: UUID | None = None
    """None: nobody has signed in yet."""

    @classmethod
    def of(cls, address: str, organisation: UUID | None = None) -> "Requester":
        """By the client's address. A whole /48 of IPv6 and a /24 of IPv4 count as one client."""
        try:
            read = ip_address(address)
        except ValueError:
            return cls(address, organisation)
        return cls(str(ip_network((read, 48 if read.version == 6 else 24), strict=False)), organisation)


class Passwords:
    """Argon2id in threads, at most two at once: a flood of sign-ins must not exhaust the memory or use every core.

    Those who wait take turns by client, and a client or an organisation that already has its share is refused at once.
    """

    def __init__(
        self,
        hasher: PasswordHasher | None = None,
        *,
        refusal_delay: float = _REFUSAL_DELAY,
        longest_wait: float = _LONGEST_WAIT,
    ) -> None:
        self._hasher = hasher or PasswordHasher()
        self._refusal_delay = refusal_delay
        self._longest_wait = longest_wait
        self._slots = FairQueue(_AT_ONCE)
        self._admitted: Counter[Hashable] = Counter()
        self._nobodys: str | None = None

    @asynccontextmanager
    async def admit(self, requester: Requester) -> AsyncGenerator["Hashing"]:
        """Admits a request that hashes or verifies passwords in the block, one after the other.

        Raises Busy when the client or the organisation already has as many such requests as it may have, and lets it
        wait for that. Enter it before the database is asked for anything, so that a refused request costs nothing.
        """
        shares: list[tuple[Hashable, int]] = [(requester.network, PER_NETWORK)]
        if requester.organisation is not None:
            shares.append((requester.organisation, PER_ORGANISATION))
        if any(self._admitted[owner] >= most for owner, most in shares):
            await asyncio.sleep(self._refusal_delay)
            raise Busy(BUSY, _RETRY_AFTER)
        owners = [owner for owner, _ in shares]
        self._admitted.update(owners)
        try:
            yield Hashing(self, requester.network)
        finally:
            for owner in owners:
                self._admitted[owner] -= 1
                if not self._admitted[owner]:
                    del self._admitted[owner]  # nothing is kept in memory for others

    async def hash(self, password: str) -> str:
        """The encoded hash, without limits: for the command line."""
        async with self._slots.slot(None):
            return await asyncio.to_thread(self.make, password)

    async def verify(self, encoded: str | None, password: str) -> bool:
        """Whether the password has that hash. Without a hash (no such member) it takes as long, and is False."""
        async with self._slots.slot(None):
            return await asyncio.to_thread(self.matches, encoded, password)

    async def run(self, owner: Hashable, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Runs `work` in a thread when it is the owner's turn. Raises Busy when that takes too long."""
        try:
            async with asyncio.timeout(self._longest_wait) as waiting, self._slots.slot(owner):
                waiting.reschedule(None)
                return await asyncio.to_thread(work, *args, **kwargs)
        except TimeoutError:
            raise Busy(BUSY, _RETRY_AFTER) from None

    def is_outdated(self, encoded: str) -> bool:
        """Whether the hash was made with parameters that differ from the current ones."""
        return self._hasher.check_needs_rehash(encoded)

    def make(self, password: str) -> str:
        """The encoded hash. Blocks for about 50 ms."""
        return self._hasher.hash(password)

    def matches(self, encoded: str | None, password: str) -> bool:
        """As `verify`. Blocks for about 50 ms."""
        if self._nobodys is None:
            self._nobodys = self._hasher.hash(secrets.token_urlsafe())
        try:
            # The browser's bytes may not be valid Unicode; then it is not a valid password.
            matches = self._hasher.verify(encoded or self._nobodys, password.encode("utf-8", "replace"))
        except (VerificationError, InvalidHashError):
            return False
        return matches and encoded is not None


@dataclass(frozen=True)
class Hashing:
    """A request that was admitted to hash passwords: see `Passwords.admit`."""

    _passwords: Passwords
    _network: str

    async def hash(self, password: str) -> str:
        """The encoded hash. Takes about 50 ms; acquire no database connection before it is done."""
        return await self._passwords.run(self._network, self._passwords.make, password)

    async def verify(self, encoded: str | None, password: str) -> bool:
        """Whether the password has that hash. Without a hash (no such member) it takes as long, and is False."""
        return await self._passwords.run(self._network, self._passwords.matches, encoded, password)

    def is_outdated(self, encoded: str) -> bool:
        """Whether the hash was made with parameters that differ from the current ones."""
        return self._passwords.is_outdated(encoded)

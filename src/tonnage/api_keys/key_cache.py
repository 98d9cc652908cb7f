"""The cache from API keys to actors, which saves a statement per request."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from uuid import UUID

from tonnage.api_keys.api_key import KnownKey, is_well_formed
from tonnage.api_keys.queries import find_key, record_use
from tonnage.clock import WallClock
from tonnage.db import Database
from tonnage.error_codes import RequestCode
from tonnage.errors import Unauthenticated
from tonnage.tokens import digest

CACHE_SECONDS = 1.0
"""How long a process may go on accepting a key after another process has revoked it."""

MOST_KEYS = 10_000
"""How many keys a process caches, and how many last-used times it collects."""


@dataclass(frozen=True, slots=True)
class _CachedKey:
    since: datetime
    """The clock may be set back: before this time the key is looked up again, too."""
    until: datetime
    key: KnownKey


class KeyCache:
    """Looks keys up, and caches the known ones for CACHE_SECONDS.

    Unknown keys are never cached: a key works as soon as it is created, and guesses cannot fill the memory. Expiry is
    checked at every use, so that a key stops working exactly when it expires.
    """

    def __init__(self, database: Database, clock: WallClock, most: int = MOST_KEYS) -> None:
        self._database = database
        self._clock = clock
        self._most = most
        self._known: dict[bytes, _CachedKey] = {}
        self._used: dict[UUID, datetime] = {}
        self.full = asyncio.Event()
        """Set when there is no room for the last-used times of further keys."""

    async def admit(self, key: str) -> KnownKey:
        """Returns what is known of `key`. Raises Unauthenticated with the reason; Forbidden if its organisation is
        locked.
        """
        now = self._clock()
        key_digest = digest(key)
        cached = self._known.get(key_digest)
        if cached and cached.since <= now < cached.until:
            known = cached.key
        else:
            # Only for keys that are not cached: a cached key is well formed, and the checksum costs more than the
            # digest.
            if not is_well_formed(key):
                raise Unauthenticated(
                    "This is not an API key of this system. Check that you copied all of it.", RequestCode.KEY_UNKNOWN
                )
            known = await self._look_up(key_digest, now)
        known.admit(now)
        if known.id in self._used:
            self._used[known.id] = now
        else:
            self._record_first_use(known.id, now)
        return known

    @property
    def remembered(self) -> int:
        """How much is in memory: keys and last-used times, at most `most` of each."""
        return max(len(self._known), len(self._used))

    async def _look_up(self, key_digest: bytes, now: datetime) -> KnownKey:
        known = await self._database.run(find_key, key_digest)
        if known is None:
            self._known.pop(key_digest, None)
            raise Unauthenticated(
                "This API key is unknown. Check that you copied all of it, or create a new one.",
                RequestCode.KEY_UNKNOWN,
            )
        if len(self._known) >= self._most:
            self._known.clear()
        self._known[key_digest] = _CachedKey(now, now + timedelta(seconds=CACHE_SECONDS), known)
        return known

    def _record_first_use(self, key_id: UUID, now: datetime) -> None:
        # The first one since the last flush. Does not wait for the database: no request may fail for the sake of a
        # last-used time. While the database is away, the times of keys beyond `most` are lost.
        if len(self._used) < self._most:
            self._used[key_id] = now
        if len(self._used) >= self._most:
            self.full.set()

    async def flush(self) -> None:
        """Writes the last-used times collected since the last call, in one statement. To be called periodically, and
        when `full` is set. Times that could not be written are kept for the next call."""
        used, self._used = self._used, {}
        self.full.clear()
        if not used:
            return
        try:
            await self._database.run(record_use, used)
        except BaseException:
            self._used = dict(islice((used | self._used).items(), self._most))
            raise

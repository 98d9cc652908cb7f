"""Throttling: every attempt is counted before it is verified, and uncounted if it was right."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tonnage.authentication import throttling_queries
from tonnage.authentication.throttling import WARNED_AT, AddressFailures, ThrottleKey
from tonnage.authentication.throttling_queries import Attempt
from tonnage.db import Connection
from tonnage.errors import Count, Throttled

_HOUR = timedelta(hours=1)


class LinkNeeded(Throttled):
    """There were too many failures at this address, from everywhere: the password alone is not enough."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(
            "There were too many failed attempts to sign in with this e-mail address. To sign in now, request a link "
            "by e-mail.",
            retry_after,
        )


@dataclass(frozen=True)
class CountedAttempts:
    """An attempt that was admitted."""

    tries: tuple[tuple[ThrottleKey, Attempt], ...]
    address: tuple[AddressFailures, int] | None = None
    """The failures at the address, from everywhere, and their number with this attempt."""

    @property
    def blocks(self) -> bool:
        """Whether it led to a block of one of the subjects that belong to one member."""
        return any(one.blocks for subject, one in self.tries if not subject.is_shared)

    @property
    def warns(self) -> bool:
        """Whether it is the one of which its member is warned."""
        return self.address is not None and self.address[1] == WARNED_AT

    async def take_back(self, conn: Connection) -> None:
        """Uncounts an attempt that was right, but does not prove that the earlier ones were mistakes."""
        for subject, one in self.tries:
            await throttling_queries.uncount_attempt(conn, subject, one)
        await self._uncount_failure(conn)

    async def forgive(self, conn: Connection) -> None:
        """Resets the counts of this member after an attempt that was right and complete. The failures of others and
        those at other addresses stay: otherwise an attacker with a login of his own could reset them with it.
        """
        for subject, one in self.tries:
            if subject.is_shared:
                await throttling_queries.uncount_attempt(conn, subject, one)
            else:
                await throttling_queries.reset_count(conn, subject)
        await self._uncount_failure(conn)

    async def _uncount_failure(self, conn: Connection) -> None:
        if self.address is not None:
            await throttling_queries.uncount_failure(conn, self.address[0])


async def count_attempts(
    conn: Connection, subjects: Sequence[ThrottleKey], now: datetime, address: AddressFailures | None = None
) -> CountedAttempts:
    """Counts an attempt for each of `subjects`, and for the address if it is given. Throttled: one of them is blocked.
    LinkNeeded: the address has too many failures.

    Each is counted in a statement of its own and no lock is held, so that no statement waits for another attempt.
    """
    counted: list[tuple[ThrottleKey, Attempt]] = []
    for subject in subjects:
        one = await throttling_queries.count_attempt(conn, subject, now)
        if one.blocked_until is not None:
            # The attempt is not verified, so it must not count for the other subjects.
            await CountedAttempts(tuple(counted)).take_back(conn)
            raise throttled(one.blocked_until, now)
        counted.append((subject, one))
    if address is None:
        return CountedAttempts(tuple(counted))
    number = await throttling_queries.count_failure(conn, address, now)
    if number is None:
        await CountedAttempts(tuple(counted)).take_back(conn)
        raise LinkNeeded(max(1, math.ceil((address.hour + _HOUR - now).total_seconds())))
    return CountedAttempts(tuple(counted), (address, number))


def throttled(until: datetime, now: datetime) -> Throttled:
    """The error; it is the same for every subject and every attempt."""
    seconds = max(1, math.ceil((until - now).total_seconds()))
    minutes, hours = math.ceil(seconds / 60), math.ceil(seconds / 3600)
    wait = Count("a minute", "{count} minutes", minutes) if hours < 2 else Count("an hour", "{count} hours", hours)
    return Throttled("Too many failed attempts. Try again in {wait}.", seconds, wait=wait)

"""Throttling: every attempt is counted before it is verified, and uncounted if it was right."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tonnage.authentication import throttling_queries
from tonnage.authentication.throttling import ThrottleKey
from tonnage.authentication.throttling_queries import Attempt
from tonnage.db import Connection
from tonnage.errors import Count, Throttled


@dataclass(frozen=True)
class CountedAttempts:
    """An attempt that was admitted."""

    tries: tuple[tuple[ThrottleKey, Attempt], ...]

    @property
    def blocks(self) -> bool:
        """Whether it led to a block of one of the subjects that belong to one member."""
        return any(one.blocks for _, one in self.tries[:-1])

    async def take_back(self, conn: Connection) -> None:
        """Uncounts an attempt that was right, but does not prove that the earlier ones were mistakes."""
        for subject, one in self.tries:
            await throttling_queries.uncount_attempt(conn, subject, one)

    async def forgive(self, conn: Connection) -> None:
        """Resets the counts of this member after an attempt that was right and complete. The client's other failures
        stay: otherwise an attacker with a login of his own could reset them with it.
        """
        *own, (client, counted) = self.tries
        for subject, _ in own:
            await throttling_queries.reset_count(conn, subject)
        await throttling_queries.uncount_attempt(conn, client, counted)


async def count_attempts(conn: Connection, subjects: Sequence[ThrottleKey], now: datetime) -> CountedAttempts:
    """Counts an attempt for each of `subjects`; the client as a whole comes last. Throttled: one of them is blocked.

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
    return CountedAttempts(tuple(counted))


def throttled(until: datetime, now: datetime) -> Throttled:
    """The error; it is the same for every subject and every attempt."""
    seconds = max(1, math.ceil((until - now).total_seconds()))
    minutes, hours = math.ceil(seconds / 60), math.ceil(seconds / 3600)
    wait = Count("a minute", "{count} minutes", minutes) if hours < 2 else Count("an hour", "{count} hours", hours)
    return Throttled("Too many failed attempts. Try again in {wait}.", seconds, wait=wait)

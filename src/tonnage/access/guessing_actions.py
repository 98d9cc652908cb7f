"""Holding guessers off: every try is counted before it is looked at, and taken back if it was right."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tonnage.access import guessing_queries as queries
from tonnage.access.guessing import Subject
from tonnage.access.guessing_queries import Try
from tonnage.db import Connection
from tonnage.errors import Count, Throttled


@dataclass(frozen=True)
class Counted:
    """A try that was let through."""

    tries: tuple[tuple[Subject, Try], ...]

    @property
    def blocks(self) -> bool:
        """Whether it led to a block of one of the subjects that are about one member."""
        return any(one.blocks for _, one in self.tries[:-1])

    async def take_back(self, conn: Connection) -> None:
        """It was right, but does not prove that the earlier ones were only slips."""
        for subject, one in self.tries:
            await queries.take_back(conn, subject, one)

    async def forgive(self, conn: Connection) -> None:
        """It was right and complete: what is about this member is forgotten. The client's other failures are not:
        whoever has a login of his own could wash them off with it.
        """
        *own, (client, counted) = self.tries
        for subject, _ in own:
            await queries.forget(conn, subject)
        await queries.take_back(conn, client, counted)


async def admit_try(conn: Connection, subjects: Sequence[Subject], now: datetime) -> Counted:
    """Counts a try for each of `subjects`; the client as a whole comes last. Throttled while one is blocked.

    One after the other, and nothing of it held: the next statement is not to wait for another try's.
    """
    counted: list[tuple[Subject, Try]] = []
    for subject in subjects:
        one = await queries.count_try(conn, subject, now)
        if one.blocked_until is not None:
            # It was not looked at, so it says nothing of the others.
            await Counted(tuple(counted)).take_back(conn)
            raise throttled(one.blocked_until, now)
        counted.append((subject, one))
    return Counted(tuple(counted))


def throttled(until: datetime, now: datetime) -> Throttled:
    """The refusal, the same for everybody and whatever was tried."""
    seconds = max(1, math.ceil((until - now).total_seconds()))
    minutes, hours = math.ceil(seconds / 60), math.ceil(seconds / 3600)
    wait = Count("a minute", "{count} minutes", minutes) if hours < 2 else Count("an hour", "{count} hours", hours)
    return Throttled("There were too many failed tries; try again in {wait}.", seconds, wait=wait)

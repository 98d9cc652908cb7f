"""The number of connections that one organisation may hold at once: its slow statements must not starve others.

A request beyond that waits here, not in the queue of the pool, where it would be in front of everybody else.
"""

import asyncio
from collections.abc import Hashable
from dataclasses import dataclass

from tonnage.db.deadlines import wait_limit
from tonnage.error_codes import UnavailableCode
from tonnage.errors import Sentence, Unavailable

SLOT_WAIT = 3.0
"""Seconds that a request waits until its organisation may have one more connection."""

BUSY = Sentence(
    "Your organisation already has the maximum number of requests in progress that wait for the database. Try again "
    "when some of them have finished."
)


FULL = Sentence("The database is too busy. Try again in a few seconds.")


@dataclass(slots=True)
class _Slots:
    """Of one organisation: its free connections, and how many of its statements hold one or wait for one."""

    free: asyncio.Semaphore
    statements: int = 0


class ConnectionLimits:
    """The limits of a pool of `size` connections.

    One organisation gets three eighths. All together leave one connection free: with it API keys and sessions are
    looked up, which happens before the organisation is known.
    """

    def __init__(self, size: int) -> None:
        self._each = max(1, size * 3 // 8)
        self._together = asyncio.Semaphore(max(1, size - 1))
        self._slots: dict[Hashable, _Slots] = {}

    async def acquire(self, owner: Hashable, seconds: float) -> None:
        """Waits until this organisation may have one more connection. `release` must follow. Raises Unavailable after
        `seconds`.
        """
        slots = self._slots.get(owner)
        if slots is None:
            slots = self._slots[owner] = _Slots(asyncio.Semaphore(self._each))
        slots.statements += 1
        try:
            await _acquire(slots.free, seconds, UnavailableCode.BUSY, BUSY)
            try:
                await _acquire(self._together, seconds, UnavailableCode.DATABASE_UNAVAILABLE, FULL)
            except BaseException:
                slots.free.release()
                raise
        except BaseException:
            self._leave(owner, slots)
            raise

    def release(self, owner: Hashable) -> None:
        """Returns what `acquire` acquired."""
        slots = self._slots[owner]
        self._together.release()
        slots.free.release()
        self._leave(owner, slots)

    @property
    def owners(self) -> int:
        """How many organisations hold a connection or wait for one; nothing is kept in memory for others."""
        return len(self._slots)

    def _leave(self, owner: Hashable, slots: _Slots) -> None:
        slots.statements -= 1
        if not slots.statements:
            del self._slots[owner]


def count_for(owner: Hashable) -> None:
    """From now on the statements of the present request count for this organisation."""
    limit = wait_limit.get()
    if limit.together:  # else it is no request's, but the limit of the whole process
        limit.owner = owner


async def _acquire(free: asyncio.Semaphore, seconds: float, code: UnavailableCode, sentence: Sentence) -> None:
    if not free.locked():
        # Does not wait. A timer would cost more than everything else here.
        await free.acquire()
        return
    try:
        async with asyncio.timeout(seconds):
            await free.acquire()
    except TimeoutError:
        raise Unavailable(sentence, code) from None

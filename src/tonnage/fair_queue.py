"""A few slots for work that many ask for: those who wait take turns, so that a long queue of one delays nobody else."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncGenerator, Hashable
from contextlib import asynccontextmanager, suppress


class FairQueue:
    """Slots of one event loop. Of several who wait for one, each gets one in turn, and within one the oldest first."""

    def __init__(self, slots: int) -> None:
        self._free = slots
        self._waiting: OrderedDict[Hashable, deque[asyncio.Future[None]]] = OrderedDict()

    @asynccontextmanager
    async def slot(self, owner: Hashable) -> AsyncGenerator[None]:
        """Waits for a slot and holds it during the block."""
        if self._free:
            self._free -= 1
        else:
            await self._wait(owner)
        try:
            yield
        finally:
            self._release()

    async def _wait(self, owner: Hashable) -> None:
        turn = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(owner, deque()).append(turn)
        try:
            await turn
        except BaseException:
            if turn.cancelled():
                self._withdraw(owner, turn)
            else:
                # The slot was given to this waiter, and it was cancelled before it could run.
                self._release()
            raise

    def _withdraw(self, owner: Hashable, turn: "asyncio.Future[None]") -> None:
        turns = self._waiting.get(owner, deque())
        with suppress(ValueError):
            turns.remove(turn)
        if not turns:
            self._waiting.pop(owner, None)

    def _release(self) -> None:
        while self._waiting:
            owner, turns = self._waiting.popitem(last=False)
            turn = turns.popleft()
            if turns:
                self._waiting[owner] = turns  # behind all others
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1

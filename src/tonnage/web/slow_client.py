"""Bounded sending of a long list to a slow client."""

import asyncio
import logging
import time
from dataclasses import dataclass

from starlette.types import Message, Send

from tonnage.web.middleware import Truncated

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SendLimits:
    """The limits after which the list of a slow client is truncated and its connection returned."""

    chunk: float = 60.0
    """Seconds to accept one chunk."""
    grace: float = 10.0
    """Seconds of waiting in total before `rate` applies: the first bytes may be slow."""
    rate: float = 64 * 1024
    """Bytes per second, on average over all waiting. With a limit per chunk alone, a trickle could hold the connection
    forever.
    """

    def left(self, waited: float, taken: int) -> float:
        """Seconds for the next chunk, for a client that accepted `taken` bytes in `waited` seconds."""
        return min(self.chunk, self.grace + taken / self.rate - waited)


DEFAULT_LIMITS = SendLimits()


class BoundedSender:
    """Sends to the client of a long list, and measures how long it keeps us waiting."""

    def __init__(self, send: Send, patience: SendLimits) -> None:
        self._send = send
        self._patience = patience
        self._waited = 0.0
        self._taken = 0

    async def give(self, message: Message) -> None:
        """Sends a part of the response. Raises Truncated when the client has exceeded the limits."""
        # Only the waiting for the client counts, not a slow query.
        begun = time.monotonic()
        try:
            async with asyncio.timeout(self._patience.left(self._waited, self._taken)):
                await self._send(message)
        except TimeoutError:
            waited = self._waited + time.monotonic() - begun
            _log.warning("a list was cut off: its reader took %d bytes in %.1f seconds", self._taken, waited)
            raise Truncated from None
        self._waited += time.monotonic() - begun
        self._taken += len(message.get("body", b""))

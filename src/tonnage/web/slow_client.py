"""The client of a long list: it is waited for, but not for ever."""

import asyncio
import logging
import time
from dataclasses import dataclass

from starlette.types import Message, Send

from tonnage.web.middleware import Truncated

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SendLimits:
    """How long a reader may keep a connection waiting before its list is cut and the connection goes back."""

    chunk: float = 60.0
    """Seconds for taking one chunk."""
    grace: float = 10.0
    """Seconds of waiting in all, before `rate` counts: the first bytes may be slow."""
    rate: float = 64 * 1024
    """Bytes per second, on average over all waiting. A bound per chunk alone would let a trickle hold it for ever."""

    def left(self, waited: float, taken: int) -> float:
        """Seconds for the next chunk, from a reader that took `taken` bytes while it was waited for."""
        return min(self.chunk, self.grace + taken / self.rate - waited)


DEFAULT_LIMITS = SendLimits()


class BoundedSender:
    """The client of a long list, and how long it has been waited for."""

    def __init__(self, send: Send, patience: SendLimits) -> None:
        self._send = send
        self._patience = patience
        self._waited = 0.0
        self._taken = 0

    async def give(self, message: Message) -> None:
        """Sends a part of the reply. Raises Truncated when the reader has used up the patience."""
        # Only waiting for the reader counts: a slow query is not its fault.
        begun = time.monotonic()
        try:
            async with asyncio.timeout(self._patience.left(self._waited, self._taken)):
                await self._send(message)
        except TimeoutError:
            waited = self._waited + time.monotonic() - begun
            _log.warning("a list was cut: its reader took %d bytes in %.1f seconds", self._taken, waited)
            raise Truncated from None
        self._waited += time.monotonic() - begun
        self._taken += len(message.get("body", b""))

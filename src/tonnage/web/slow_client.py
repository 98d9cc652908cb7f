"""Bounded sending of a long list to a slow client, or to one that has disconnected."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive, Send

from tonnage.web.middleware import Truncated

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TransferLimits:
    """The limits after which the list for a slow client is truncated and its connection returned, and the body of a
    slow client refused.
    """

    chunk: float = 60.0
    """Seconds for one chunk."""
    grace: float = 10.0
    """Seconds of waiting in total before `rate` applies: the first bytes may be slow."""
    rate: float = 64 * 1024
    """Bytes per second, on average over all waiting. With a limit per chunk alone, a trickle could hold the connection
    forever.
    """

    def left(self, waited: float, taken: int) -> float:
        """Seconds for the next chunk, for a client that accepted or sent `taken` bytes in `waited` seconds."""
        return min(self.chunk, self.grace + taken / self.rate - waited)


DEFAULT_LIMITS = TransferLimits()


class _BoundedSender:
    """Sends to the client of a long list, and measures how long it keeps us waiting."""

    def __init__(self, send: Send, limits: TransferLimits) -> None:
        self._send = send
        self._limits = limits
        self._waited = 0.0
        self._taken = 0

    async def give(self, message: Message) -> None:
        """Sends a part of the response. Raises Truncated when the client has exceeded the limits."""
        # Only the waiting for the client counts, not a slow query.
        begun = time.monotonic()
        try:
            async with asyncio.timeout(self._limits.left(self._waited, self._taken)):
                await self._send(message)
        except TimeoutError:
            waited = self._waited + time.monotonic() - begun
            _log.warning("a list was cut off: its reader took %d bytes in %.1f seconds", self._taken, waited)
            raise Truncated from None
        self._waited += time.monotonic() - begun
        self._taken += len(message.get("body", b""))


async def send_parts(
    start: Message, parts: AsyncGenerator[bytes], receive: Receive, send: Send, limits: TransferLimits = DEFAULT_LIMITS
) -> None:
    """Sends a response of unknown length. Raises Truncated when the client has exceeded the limits, ClientDisconnect
    when it has disconnected, and what `parts` raises.
    """
    # The server ignores what is sent to a client that has disconnected, so a task must listen for the disconnect.
    gone = asyncio.create_task(_disconnected(receive))
    reader = _BoundedSender(send, limits)
    try:
        async with aclosing(parts):
            await reader.give(start)
            async for part in parts:
                if gone.done():
                    raise ClientDisconnect
                await reader.give({"type": "http.response.body", "body": part, "more_body": True})
        await reader.give({"type": "http.response.body", "body": b""})
    finally:
        gone.cancel()


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass

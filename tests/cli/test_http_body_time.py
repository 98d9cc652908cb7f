"""The time that a client has for the body of a request. Here time passes only when a test says so."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import uvicorn
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from tests.cli.http_connection import GRACE, ShortBody, Wire

pytestmark = pytest.mark.anyio


class SteppedLoop:
    """Time passes only in `advance`; the rest is the real loop."""

    def __init__(self) -> None:
        self._now = 0.0
        self._real = asyncio.get_running_loop()
        self._calls: list[tuple[float, Callable[[], object]]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def time(self) -> float:
        return self._now

    def call_later(self, delay: float, callback: Callable[..., object], *arguments: object) -> asyncio.Handle:
        handle = asyncio.Handle(callback, arguments, self._real)
        self._calls.append((self._now + delay, lambda: handle.cancelled() or callback(*arguments)))
        return handle

    def advance(self, seconds: float) -> None:
        until = self._now + seconds
        while due := [call for call in self._calls if call[0] <= until]:
            first = min(due, key=lambda call: call[0])
            self._calls.remove(first)
            self._now = max(self._now, first[0]) + 1e-6
            first[1]()
        self._now = until


@dataclass
class Sending:
    """A request with a body of 1 MB, and the application that reads it when `reads` is set."""

    protocol: ShortBody
    wire: Wire
    loop: SteppedLoop
    reads: asyncio.Event

    def send(self, size: int) -> None:
        self.protocol.data_received(b"x" * size)

    @property
    def refused(self) -> bool:
        return b" 408 " in self.wire.written


@pytest.fixture
async def sending() -> Sending:
    reads = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await reads.wait()
        await PlainTextResponse(b"%d" % len(await Request(scope, receive).body()))(scope, receive, send)

    application: Any = app
    loop: Any = SteppedLoop()
    config = uvicorn.Config(application, lifespan="off", log_config=None, ws="none")
    sending = Sending(ShortBody(config, ServerState(), {}, _loop=loop), Wire(), loop, reads)
    sending.protocol.connection_made(sending.wire)
    sending.protocol.data_received(b"POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 1000000\r\n\r\n")
    return sending


async def _read() -> None:
    """The application goes on, as far as it can."""
    for _ in range(20):
        await asyncio.sleep(0)


@pytest.mark.parametrize("size", [0, 65_000])
async def test_a_body_has_the_grace_and_the_time_of_what_has_come(sending: Sending, size: int) -> None:
    sending.reads.set()
    sending.send(size)
    sending.loop.advance(GRACE + size / ShortBody.body_limits.rate - 0.01)
    assert not sending.refused
    sending.loop.advance(0.02)
    assert sending.refused


async def test_a_body_that_is_fast_enough_has_more_time(sending: Sending) -> None:
    sending.reads.set()
    sending.send(999_999)
    await _read()
    assert not sending.protocol.flow.read_paused
    sending.loop.advance(10 * GRACE)
    sending.send(1)
    await _read()
    assert b"1000000" in sending.wire.written


@pytest.mark.parametrize("paused", [0.5, 1.0, 1.9, 20.0])
async def test_a_body_that_we_do_not_read_yet_has_all_the_time(sending: Sending, paused: float) -> None:
    """However long we let it wait, and whenever its time is looked at: the rest of the time is still the client's."""
    sending.send(70_000)
    assert sending.protocol.flow.read_paused
    sending.loop.advance(paused * GRACE)
    sending.reads.set()
    await _read()
    assert not sending.protocol.flow.read_paused
    sending.loop.advance(GRACE + 1)
    assert not sending.refused
    sending.send(930_000)
    await _read()
    assert b"1000000" in sending.wire.written


@pytest.mark.parametrize("paused", [0.5, 20.0])
async def test_time_for_which_we_read_it_counts_whatever_is_in_between(sending: Sending, paused: float) -> None:
    sending.send(70_000)
    sending.loop.advance(paused * GRACE)
    sending.reads.set()
    await _read()
    assert not sending.protocol.flow.read_paused
    sending.loop.advance(
        GRACE + 70_000 / ShortBody.body_limits.rate + GRACE
    )  # it is looked at every GRACE while paused
    assert sending.refused

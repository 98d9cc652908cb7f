"""What one connection may take: how many requests are parsed ahead, and the time for bodies and responses."""

import asyncio
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI, Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from tests.cli.http_connection import Connect, ShortBody, Wire
from tonnage.cli.http_protocol import HttpProtocol

pytestmark = pytest.mark.anyio

REPEATED = 5

BODIES = {
    "none": (0, b"GET / HTTP/1.1\r\nHost: t\r\n\r\n"),
    "known length": (9, b"POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 9\r\n\r\na\r\n\r\nb\r\n\r"),
    "chunks": (4, b"POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n\r\n\r\n\r\n0\r\n\r\n"),
    "trailers": (1, b"POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nX: y\r\n\r\n"),
}


class Observed(HttpProtocol):
    """Counts the heads that were parsed, and those while another request was being answered."""

    early = 0
    parsed = 0
    received = 0

    def data_received(self, data: bytes) -> None:
        Observed.received += len(data)
        super().data_received(data)

    def on_headers_complete(self) -> None:
        Observed.parsed += 1
        Observed.early += bool(self.cycle and not self.cycle.response_complete)
        super().on_headers_complete()


class Impatient(HttpProtocol):
    """Every stalled connection has been so for too long."""

    stall_seconds = -1.0
    made: list["Impatient"]

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.made.append(self)


@pytest.fixture(autouse=True)
def fresh() -> None:
    Observed.early = Observed.parsed = Observed.received = 0
    Impatient.made = []


@pytest.fixture
def gate(app: FastAPI) -> asyncio.Event:
    """What requests of /gate wait for before they read their body."""
    gate = asyncio.Event()

    async def wait(request: Request) -> Response:
        await gate.wait()
        return PlainTextResponse(b"%d" % len(await request.body()))

    app.add_route("/gate", wait, methods=["GET", "POST"])
    return gate


@pytest.mark.parametrize("protocol", [Observed])
@pytest.mark.parametrize(("length", "data"), BODIES.values(), ids=BODIES)
async def test_requests_behind_each_other_are_parsed_one_at_a_time(connect: Connect, length: int, data: bytes) -> None:
    connection = await connect()
    connection.writer.write(data * 50)
    for _ in range(50):
        assert (await connection.answer()).body == b"%d" % length
    assert (Observed.parsed, Observed.early) == (50, 0)


def cut(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize(("length", "data"), BODIES.values(), ids=BODIES)
async def test_they_are_the_same_requests_in_pieces_of_any_size(length: int, data: bytes, size: int) -> None:
    await receive_in_pieces(length, cut(data * REPEATED, size))


@pytest.mark.parametrize(("length", "data"), BODIES.values(), ids=BODIES)
async def test_they_are_the_same_requests_cut_anywhere(length: int, data: bytes) -> None:
    sent = data * REPEATED
    for place in range(1, len(sent)):
        await receive_in_pieces(length, [sent[:place], sent[place:]])


async def receive_in_pieces(length: int, pieces: list[bytes]) -> None:
    """On the protocol itself, since a socket does not keep pieces apart."""
    lengths: list[int] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        lengths.append(len(await Request(scope, receive).body()))
        await PlainTextResponse("read")(scope, receive, send)

    application: Any = app
    protocol = Observed(uvicorn.Config(application, lifespan="off", log_config=None, ws="none"), ServerState(), {})
    wire = Wire(REPEATED)
    protocol.connection_made(wire)
    for number, piece in enumerate(pieces):
        protocol.data_received(piece)
        if number % 3 == 1:
            await asyncio.sleep(0)
    async with asyncio.timeout(30):
        await wire.answered.wait()
    assert lengths == [length] * REPEATED
    assert Observed.early == 0
    protocol.connection_lost(None)


@pytest.mark.parametrize("protocol", [Observed])
async def test_nothing_more_is_read_while_a_request_is_answered(connect: Connect, gate: asyncio.Event) -> None:
    connection = await connect()
    count = 400_000
    connection.writer.write(
        b"GET /gate HTTP/1.1\r\nHost: t\r\n\r\n" + b"GET /nowhere HTTP/1.1\r\nHost: t\r\n\r\n" * count
    )
    sending = asyncio.create_task(connection.writer.drain())
    await asyncio.wait([sending], timeout=0.5)
    assert not sending.done()  # the buffers of both sides are full
    assert Observed.parsed == 1
    gate.set()
    assert (await connection.answer()).body == b"0"
    for _ in range(100):
        assert (await connection.answer()).status == 404
    connection.writer.transport.abort()
    await asyncio.wait([sending])


@pytest.mark.parametrize("protocol", [Observed])
async def test_asking_for_a_body_reads_no_further_requests(connect: Connect, app: FastAPI) -> None:
    async def read_and_work(request: Request) -> Response:
        body = await request.body()
        for _ in range(3):
            await asyncio.sleep(0)  # the loop may read sockets
        return PlainTextResponse(b"%d" % len(body))

    app.add_route("/work", read_and_work, methods=["POST"])
    connection = await connect()
    connection.writer.write(b"POST /work HTTP/1.1\r\nHost: t\r\nContent-Length: 0\r\n\r\n" * 500_000)
    for _ in range(100):
        assert (await connection.answer()).body == b"0"
    assert Observed.received < 2_000_000
    connection.writer.transport.abort()


@pytest.mark.parametrize("protocol", [ShortBody])
@pytest.mark.parametrize("framing", [b"Content-Length: 90000", b"Transfer-Encoding: chunked"])
async def test_a_body_that_stops_is_refused(connect: Connect, framing: bytes) -> None:
    connection = await connect()
    answer = await connection.ask(b"POST / HTTP/1.1\r\nHost: t\r\n" + framing + b"\r\n\r\n5\r\nhel")
    assert answer.status == 408
    assert "body" in answer.problem["detail"]
    await connection.ends()


@pytest.mark.parametrize("protocol", [ShortBody])
async def test_a_trickle_does_not_prolong_a_body(connect: Connect) -> None:
    connection = await connect()
    connection.writer.write(b"POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 90000\r\n\r\n")
    answer = asyncio.create_task(connection.answer())
    while not answer.done():
        connection.writer.write(b"x")
        await asyncio.wait([answer], timeout=0.05)
    assert (await answer).status == 408


@pytest.mark.parametrize("protocol", [ShortBody])
async def test_a_body_that_comes_after_its_answer_has_the_same_time(connect: Connect) -> None:
    connection = await connect()
    answer = await connection.ask(b"POST /nowhere HTTP/1.1\r\nHost: t\r\nContent-Length: 90000\r\n\r\n")
    assert answer.status == 404
    await connection.ends()


@pytest.mark.parametrize("protocol", [Impatient])
async def test_a_client_that_accepts_no_response_is_cut_off(connect: Connect, app: FastAPI) -> None:
    async def large(request: Request) -> Response:
        return PlainTextResponse(b"x" * 50_000_000)

    app.add_route("/large", large)
    connection, idle = await connect(), await connect()
    await idle.ask(b"GET / HTTP/1.1\r\nHost: t\r\n\r\n")
    connection.writer.write(b"GET /large HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n")
    await connection.reader.readexactly(1)
    for protocol in Impatient.made:
        protocol.end_if_stalled()
    with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
        await connection.reader.readexactly(50_000_000)
    assert (await idle.ask(b"GET / HTTP/1.1\r\nHost: t\r\n\r\n")).status == 200


@pytest.mark.parametrize("protocol", [Impatient])
async def test_a_closed_connection_waits_no_longer_for_its_client(connect: Connect) -> None:
    connection = await connect()
    await connection.ask(b"GET / HTTP/1.1\r\nHost: t\r\n\r\n")
    (protocol,) = Impatient.made
    aborted: list[bool] = []
    transport = Wire()
    transport.is_closing = lambda: True  # type: ignore[method-assign]
    transport.abort = lambda: aborted.append(True)  # type: ignore[method-assign]
    real, protocol.transport = protocol.transport, transport
    protocol.end_if_stalled()
    assert not aborted  # it has only been seen to be closed
    protocol.end_if_stalled()
    assert aborted
    protocol.transport = real

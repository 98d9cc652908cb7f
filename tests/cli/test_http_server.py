"""The server's replies below the application, on a real socket."""

import asyncio
import json
import re
import socket
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI, Request
from starlette.responses import PlainTextResponse, Response

from tonnage.cli.http_protocol import MAX_HEAD, HttpProtocol
from tonnage.cli.http_server import HttpServer
from tonnage.cli.listener import bound
from tonnage.web import problem
from tonnage.web.middleware import RequestMiddleware

pytestmark = pytest.mark.anyio


class ShortTimeouts(HttpProtocol):
    """A head has less time than an idle connection; a refused client's connection does not linger."""

    head_seconds = 0.3
    linger_seconds = 0.1


async def echo(request: Request) -> Response:
    return PlainTextResponse(b"%d" % len(await request.body()))


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def problem(self) -> dict[str, Any]:
        assert self.headers["content-type"] == "application/problem+json"
        body = json.loads(self.body)
        assert body["status"] == self.status
        assert body["requestId"] == self.headers["x-request-id"]
        assert body["detail"] == body["message"]
        assert self.headers["connection"] == "close"
        assert self.headers["cache-control"] == "no-store"
        return body


@dataclass
class Connection:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def answer(self) -> Answer:
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode()
        status = re.match(r"HTTP/1.1 (\d{3}) ", head)
        assert status is not None
        headers = {name.lower(): value for name, value in re.findall(r"^([\w-]+): (.*)\r$", head, re.MULTILINE)}
        return Answer(int(status[1]), headers, await self.reader.readexactly(int(headers["content-length"])))

    async def ends(self) -> None:
        assert await self.reader.read() == b""

    async def ask(self, data: bytes) -> Answer:
        self.writer.write(data)
        return await self.answer()


Connect = Callable[[], Awaitable[Connection]]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def protocol() -> type[HttpProtocol]:
    return HttpProtocol


@pytest.fixture
def idle() -> int:
    return 75


@pytest.fixture
async def connect(protocol: type[HttpProtocol], idle: int) -> AsyncGenerator[Connect]:
    app = FastAPI(openapi_url=None)
    problem.install(app)
    app.add_middleware(RequestMiddleware)
    app.add_route("/", echo, methods=["GET", "POST"])
    config = uvicorn.Config(
        app, http=protocol, ws="none", lifespan="off", log_config=None, server_header=False, timeout_keep_alive=idle
    )
    async with asyncio.timeout(30), AsyncExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve([listener]))
        connections: list[Connection] = []

        async def connect() -> Connection:
            # The listening socket accepts connections before the server serves them.
            connections.append(Connection(*await asyncio.open_connection(*listener.getsockname())))
            return connections[-1]

        yield connect
        for connection in connections:
            connection.writer.close()
        server.should_exit = True
        await serving


@pytest.mark.parametrize(
    "data",
    [
        b"complete nonsense\r\n\r\n",
        b"FETCH / HTTP/1.1\r\nHost: t\r\n\r\n",
        "GET /ä HTTP/1.1\r\nHost: t\r\n\r\n".encode(),
        b"GET / HTTP/9.9\r\nHost: t\r\n\r\n",
        b"CONNECT t:80 HTTP/1.1\r\nHost: t\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: many\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nno number\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
    ],
)
async def test_malformed_http_is_refused_in_the_common_format(connect: Connect, data: bytes) -> None:
    connection = await connect()
    answer = await connection.ask(data)
    assert answer.status == 400
    assert answer.problem["title"] == "Bad Request"
    await connection.ends()


async def test_the_request_id_is_the_clients_if_it_was_read(connect: Connect) -> None:
    connection = await connect()
    answer = await connection.ask(b"POST / HTTP/1.1\r\nX-Request-Id: mine\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n")
    assert answer.problem["requestId"] == "mine"


@pytest.mark.parametrize("path", ["*", "/%C3%A4", "http://t/x"])
async def test_valid_http_reaches_the_application(connect: Connect, path: str) -> None:
    answer = await (await connect()).ask(f"OPTIONS {path} HTTP/1.1\r\nHost: t\r\n\r\n".encode())
    assert answer.status in (400, 404)
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "data",
    [
        b"GET /" + b"a" * MAX_HEAD + b" HTTP/1.1\r\nHost: t\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"x: y\r\n" * (MAX_HEAD // 5) + b"\r\n",
        b"GET / HTTP/1.1\r\nx: " + b"y" * 4 * MAX_HEAD,
        b"GET / HTTP/1.1\r\n" + b"x: y\r\n" * MAX_HEAD,
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nx: " + b"y" * 8 * MAX_HEAD,
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1;" + b"y" * 8 * MAX_HEAD,
    ],
    ids=["url", "headers", "endless header", "endless headers", "endless trailer", "endless extension"],
)
async def test_a_large_head_is_refused(connect: Connect, data: bytes) -> None:
    connection = await connect()
    answer = await connection.ask(data)
    assert answer.status == 431
    assert answer.problem["title"] == "Request Header Fields Too Large"
    await connection.ends()


async def test_a_head_and_a_body_of_the_permitted_size_in_pieces(connect: Connect) -> None:
    connection = await connect()
    name = b"x: "
    for _ in range(2):
        connection.writer.write(b"POST / HTTP/1.1\r\nContent-Length: 1000000\r\n" + name)
        await connection.writer.drain()
        connection.writer.write(b"y" * (MAX_HEAD - 1024))
        await connection.writer.drain()
        assert (await connection.ask(b"\r\n\r\n" + b"z" * 1_000_000)).body == b"1000000"


async def test_requests_behind_each_other_are_not_added_up(connect: Connect) -> None:
    connection = await connect()
    one = b"POST / HTTP/1.1\r\nContent-Length: 40000\r\nx: " + b"y" * 30_000 + b"\r\n\r\n" + b"z" * 40_000
    connection.writer.write(one * 20)
    for _ in range(20):
        assert (await connection.answer()).body == b"40000"


async def test_chunks_of_one_byte_are_content(connect: Connect) -> None:
    connection = await connect()
    connection.writer.write(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n")
    assert (await connection.ask(b"1\r\nx\r\n" * 100_000 + b"0\r\n\r\n")).body == b"100000"


async def test_an_answer_under_way_comes_before_the_end(connect: Connect) -> None:
    connection = await connect()
    answer = await connection.ask(b"GET / HTTP/1.1\r\nHost: t\r\n\r\nnonsense\r\n\r\n")
    assert (answer.status, answer.body, answer.headers["connection"]) == (200, b"0", "close")
    await connection.ends()


async def test_no_request_is_answered_twice(connect: Connect) -> None:
    connection = await connect()
    answer = await connection.ask(b"POST /nowhere HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n")
    assert answer.status == 404
    connection.writer.write(b"no number\r\n")
    await connection.ends()


async def test_a_body_that_comes_after_its_answer_is_not_taken_for_a_head(connect: Connect) -> None:
    connection = await connect()
    answer = await connection.ask(b"POST /nowhere HTTP/1.1\r\nContent-Length: 100000\r\n\r\n")
    assert answer.status == 404
    assert (await connection.ask(b"z" * 100_000 + b"GET / HTTP/1.1\r\nHost: t\r\n\r\n")).body == b"0"
    assert (await connection.ask(b"nonsense\r\n\r\n")).problem["status"] == 400


@pytest.mark.parametrize("protocol", [ShortTimeouts])
async def test_a_slow_head_is_refused(connect: Connect) -> None:
    connection = await connect()
    answer = await connection.ask(b"GET / HTTP/1.1\r\nHost: t\r\n")
    assert answer.status == 408
    assert answer.problem["title"] == "Request Timeout"
    await connection.ends()


@pytest.mark.parametrize("protocol", [ShortTimeouts])
async def test_a_trickle_does_not_prolong_a_head(connect: Connect) -> None:
    connection = await connect()
    connection.writer.write(b"GET / HTTP/1.1\r\n")
    answer = asyncio.create_task(connection.answer())
    while not answer.done():
        connection.writer.write(b"x: y\r\n")
        await asyncio.wait([answer], timeout=0.05)
    assert (await answer).status == 408


@pytest.mark.parametrize("protocol", [ShortTimeouts])
async def test_a_head_in_time_is_not_cut_later(connect: Connect) -> None:
    connection = await connect()
    connection.writer.write(b"POST / HTTP/1.1\r\n")
    await connection.writer.drain()
    connection.writer.write(b"Content-Length: 2\r\n\r\nx")
    late = asyncio.create_task(connection.answer())
    await asyncio.wait([late], timeout=2 * ShortTimeouts.head_seconds)
    connection.writer.write(b"x")
    assert (await late).body == b"2"


@pytest.mark.parametrize("idle", [1])
@pytest.mark.parametrize("sent", [b"", b"\r\n"])
async def test_a_connection_that_asks_nothing_is_closed(connect: Connect, sent: bytes) -> None:
    connection = await connect()
    if sent:
        connection.writer.write(sent)
    await connection.ends()


async def test_an_upgrade_that_is_not_offered(connect: Connect, caplog: pytest.LogCaptureFixture) -> None:
    connection = await connect()
    upgrade = b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: eA==\r\n"
    answer = await connection.ask(b"GET / HTTP/1.1\r\nHost: t\r\n" + upgrade + b"\r\n")
    assert (answer.status, answer.headers["connection"]) == (200, "close")
    await connection.ends()
    assert caplog.text == ""


async def _ready() -> Response:
    return PlainTextResponse("ready")


def test_the_server_speaks_it() -> None:
    app = FastAPI(openapi_url=None)
    app.add_api_route("/readyz", _ready)
    with bound("127.0.0.1", 0) as listener:
        server = HttpServer(app, listener, [], access_log=False)
        thread = threading.Thread(target=server.run_until_stopped)
        thread.start()
        try:
            # Bound, and refusing connections until it listens.
            while True:
                with suppress(ConnectionRefusedError):
                    client = socket.create_connection((listener.host, listener.port), timeout=30)
                    break
            with client:
                client.sendall(b"nonsense\r\n\r\n")
                answer = b"".join(iter(lambda: client.recv(65536), b""))
        finally:
            server.stop()
            thread.join()
    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert b"\r\ncontent-type: application/problem+json\r\n" in answer

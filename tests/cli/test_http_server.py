"""The server's replies below the application, on a real socket."""

import asyncio
import socket
import threading
from contextlib import suppress

import pytest
from fastapi import FastAPI
from starlette.responses import PlainTextResponse, Response

from tests.cli.http_connection import Connect, ShortTimeouts
from tonnage.cli.connection_limits import ClientConnectionLimits
from tonnage.cli.http_connection import MAX_HEADERS
from tonnage.cli.http_protocol import MAX_HEAD
from tonnage.cli.http_server import HttpServer
from tonnage.cli.listener import bound

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    "data",
    [
        b"complete nonsense\r\n\r\n",
        b"FETCH / HTTP/1.1\r\nHost: t\r\n\r\n",
        "GET /ä HTTP/1.1\r\nHost: t\r\n\r\n".encode(),
        b"GET / HTTP/9.9\r\nHost: t\r\n\r\n",
        b"CONNECT t:80 HTTP/1.1\r\nHost: t\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: t\r\nContent-Length: many\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: t\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\nno number\r\n",
        b"GET / HTTP/1.1\r\nHost: t\r\nno colon\r\n\r\n",
    ],
)
async def test_malformed_http_is_refused_in_the_common_format(connect: Connect, data: bytes) -> None:
    connection = await connect()
    answer = await connection.ask(data)
    assert answer.status == 400
    assert answer.problem["title"] == "Bad Request"
    await connection.ends()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", "no Host"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n", "several Host"),
        (b"GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", "several Host"),
        (b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", "not a host"),
        (b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", "not a host"),
        (b"GET / HTTP/1.1\r\nHost: user@a\r\n\r\n", "not a host"),
        (b"GET / HTTP/1.1\r\nHost: a:b\r\n\r\n", "not a host"),
        (b"GET / HTTP/1.1\r\nHost: \xc3\xa4\r\n\r\n", "not a host"),
        (b"GET / HTTP/0.9\r\n\r\n", "HTTP/0.9"),
        (b"GET / HTTP/0.9\r\nHost: a\r\n\r\n", "HTTP/0.9"),
        (b"GET /\r\n\r\n", "HTTP/0.9"),
    ],
)
async def test_a_request_belongs_to_one_host(connect: Connect, data: bytes, said: str) -> None:
    """RFC 9112, 3.2: otherwise a proxy and Tonnage may disagree on whose request it is."""
    connection = await connect()
    answer = await connection.ask(data)
    assert answer.status == 400
    assert said in answer.problem["detail"]
    await connection.ends()


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.0\r\n\r\n",  # as health checks of proxies send it
        b"GET / HTTP/1.1\r\nHost:\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: console.example.com:8080\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n",
    ],
)
async def test_these_have_a_valid_host(connect: Connect, data: bytes) -> None:
    assert (await (await connect()).ask(data)).status == 200


async def test_the_request_id_is_the_clients_if_it_was_read(connect: Connect) -> None:
    connection = await connect()
    answer = await connection.ask(
        b"POST / HTTP/1.1\r\nHost: t\r\nX-Request-Id: mine\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n"
    )
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
        b"GET / HTTP/1.1\r\nHost: t\r\n" + b"x: y\r\n" * (MAX_HEAD // 5) + b"\r\n",
        b"GET / HTTP/1.1\r\nHost: t\r\nx: " + b"y" * 4 * MAX_HEAD,
        b"GET / HTTP/1.1\r\nHost: t\r\n" + b"x: y\r\n" * MAX_HEAD,
        b"POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nx: " + b"y" * 8 * MAX_HEAD,
        b"POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n1;" + b"y" * 8 * MAX_HEAD,
    ],
    ids=["url", "headers", "endless header", "endless headers", "endless trailer", "endless extension"],
)
async def test_a_large_head_is_refused(connect: Connect, data: bytes) -> None:
    connection = await connect()
    answer = await connection.ask(data)
    assert answer.status == 431
    assert answer.problem["title"] == "Request Header Fields Too Large"
    await connection.ends()


@pytest.mark.parametrize(("headers", "status"), [(MAX_HEADERS, 200), (MAX_HEADERS + 1, 431)])
async def test_headers_are_counted(connect: Connect, headers: int, status: int) -> None:
    """Short ones need much more memory than they have bytes. tests/hostile has trailers."""
    connection = await connect()
    answer = await connection.ask(b"GET / HTTP/1.1\r\nHost: t\r\n" + b"a: b\r\n" * (headers - 1) + b"\r\n")
    assert answer.status == status
    connection.writer.close()


async def test_a_head_and_a_body_of_the_permitted_size_in_pieces(connect: Connect) -> None:
    connection = await connect()
    name = b"x: "
    for _ in range(2):
        connection.writer.write(b"POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 1000000\r\n" + name)
        await connection.writer.drain()
        connection.writer.write(b"y" * (MAX_HEAD - 1024))
        await connection.writer.drain()
        assert (await connection.ask(b"\r\n\r\n" + b"z" * 1_000_000)).body == b"1000000"


async def test_requests_behind_each_other_are_not_added_up(connect: Connect) -> None:
    connection = await connect()
    one = b"POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 40000\r\nx: " + b"y" * 30_000 + b"\r\n\r\n" + b"z" * 40_000
    connection.writer.write(one * 20)
    for _ in range(20):
        assert (await connection.answer()).body == b"40000"


async def test_chunks_of_one_byte_are_content(connect: Connect) -> None:
    connection = await connect()
    connection.writer.write(b"POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n")
    assert (await connection.ask(b"1\r\nx\r\n" * 100_000 + b"0\r\n\r\n")).body == b"100000"


async def test_an_answer_under_way_comes_before_the_end(connect: Connect) -> None:
    connection = await connect()
    answer = await connection.ask(b"GET / HTTP/1.1\r\nHost: t\r\n\r\nnonsense\r\n\r\n")
    assert (answer.status, answer.body) == (200, b"0")
    assert (await connection.answer()).problem["status"] == 400
    await connection.ends()


async def test_no_request_is_answered_twice(connect: Connect) -> None:
    connection = await connect()
    answer = await connection.ask(b"POST /nowhere HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n")
    assert answer.status == 404
    connection.writer.write(b"no number\r\n")
    await connection.ends()


async def test_a_body_that_comes_after_its_answer_is_not_taken_for_a_head(connect: Connect) -> None:
    connection = await connect()
    answer = await connection.ask(b"POST /nowhere HTTP/1.1\r\nHost: t\r\nContent-Length: 100000\r\n\r\n")
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
    connection.writer.write(b"GET / HTTP/1.1\r\nHost: t\r\n")
    answer = asyncio.create_task(connection.answer())
    while not answer.done():
        connection.writer.write(b"x: y\r\n")
        await asyncio.wait([answer], timeout=0.05)
    assert (await answer).status == 408


@pytest.mark.parametrize("protocol", [ShortTimeouts])
async def test_a_head_in_time_is_not_cut_later(connect: Connect) -> None:
    connection = await connect()
    connection.writer.write(b"POST / HTTP/1.1\r\nHost: t\r\n")
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


@pytest.mark.parametrize("secure", [True, False])
def test_the_server_speaks_it(secure: bool) -> None:
    app = FastAPI(openapi_url=None)
    app.add_api_route("/readyz", _ready)
    with bound("127.0.0.1", 0) as listener:
        server = HttpServer(app, listener, [], ClientConnectionLimits(64, 64), access_log=False, secure=secure)
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
    assert (b"\r\nstrict-transport-security: max-age=31536000\r\n" in answer) is secure

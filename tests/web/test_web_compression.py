"""Compressed responses: which, for whom, and that a stream stays one."""

import gzip
import json
import tracemalloc
import zlib
from collections.abc import AsyncGenerator
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.responses import Response, StreamingResponse
from starlette.types import Message

from tests.web.slow_reader import scope
from tonnage.errors import NotFound
from tonnage.web.compression import Compression, accepts_gzip, with_vary
from tonnage.web.routing import ApiRoute, mount

pytestmark = pytest.mark.anyio

LONG = json.dumps([{"name": f"Partner {n}"} for n in range(100)]).encode()


ACCEPTED = (
    *("gzip", "GZIP", "gzip, deflate, br", "br;q=1.0, gzip;q=0.5", "*", "x-gzip", "gzip;q=1"),
    *("identity;q=0.5, gzip", "gzip ; q = 0.001", "br, *;q=0.1", "identity;q=0, *"),
)
NOT_ACCEPTED = (
    *("", "identity", "br", "gzip;q=0", "gzip;q=0.000", "*;q=0", "gzip;q=0, *", "x-gzippy", "gzip;q=0.5, identity"),
    *("gzip;q=x", "gzip;q=2", "gzip;q=", "gzip;level=9", "gzip;q=-1"),
)


@pytest.mark.parametrize(
    ("accepted", "is_accepted"), [*((one, True) for one in ACCEPTED), *((one, False) for one in NOT_ACCEPTED)]
)
def test_who_accepts_gzip(accepted: str, is_accepted: bool) -> None:
    assert accepts_gzip(Headers({"accept-encoding": accepted})) is is_accepted


def test_several_header_lines_are_one_list() -> None:
    lines = [(b"accept-encoding", b"br"), (b"accept-encoding", b"gzip")]
    assert accepts_gzip(Headers(raw=lines))
    assert not accepts_gzip(Headers(raw=[]))


@pytest.mark.parametrize(
    ("varies", "after"),
    [((), b"Accept"), ((b"Origin",), b"Origin, Accept"), ((b"Origin", b"Cookie"), b"Origin, Cookie, Accept")],
)
def test_vary_is_one_header(varies: tuple[bytes, ...], after: bytes) -> None:
    headers = with_vary([(b"x", b"y"), *((b"vary", one) for one in varies)], b"Accept")
    assert headers == [(b"x", b"y"), (b"vary", after)]
    assert with_vary(headers, b"ACCEPT") == headers


@pytest.fixture
async def client(bare: FastAPI) -> AsyncGenerator[httpx.AsyncClient]:
    routes = APIRouter(route_class=ApiRoute)

    @routes.get("/long")
    @routes.post("/long")
    async def long() -> Response:
        return Response(LONG, media_type="application/json", headers={"Vary": "Origin"})

    @routes.get("/short")
    async def short() -> Response:
        return Response(b"[" + b" " * 1022 + b"]", media_type="application/json")

    @routes.get("/tagged")
    async def tagged() -> Response:
        return Response(LONG, media_type="application/json", headers={"ETag": '"1"'})

    @routes.get("/packed")
    async def packed() -> Response:
        return Response(gzip.compress(LONG), media_type="application/json", headers={"Content-Encoding": "gzip"})

    @routes.get("/image")
    async def image() -> Response:
        return Response(LONG, media_type="image/png")

    @routes.get("/error")
    async def error() -> Response:
        raise NotFound("There is no such thing: " + "x" * 2000)

    @routes.get("/large")
    async def large() -> Response:
        return Response(LONG * 1000, media_type="text/plain")

    bare.user_middleware.append(Middleware(Compression))  # the innermost one, as in asgi.py
    mount(bare, routes)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(bare), base_url="http://t") as http:
        yield http


async def sent(client: httpx.AsyncClient, path: str, accepted: str = "gzip", method: str = "GET") -> Any:
    """The response and its body as it travelled."""
    async with client.stream(method, path, headers={"Accept-Encoding": accepted}) as response:
        return response, b"".join([part async for part in response.aiter_raw()])


@pytest.mark.parametrize(("path", "body"), [("/long", LONG), ("/large", LONG * 1000)])
async def test_a_long_response_is_compressed(client: httpx.AsyncClient, path: str, body: bytes) -> None:
    response, raw = await sent(client, path)
    assert response.headers["content-encoding"] == "gzip"
    assert int(response.headers["content-length"]) == len(raw) < len(body) / 5
    assert gzip.decompress(raw) == body
    assert response.headers["vary"] == ("Origin, Accept-Encoding" if path == "/long" else "Accept-Encoding")
    plain, raw = await sent(client, path, "identity")
    assert ("content-encoding" in plain.headers, raw) == (False, body)
    assert int(plain.headers["content-length"]) == len(body)
    assert plain.headers["vary"] == response.headers["vary"]
    head, raw = await sent(client, path, method="HEAD")
    assert (raw, head.headers["content-length"]) == (b"", response.headers["content-length"])


@pytest.mark.parametrize("path", ["/short", "/tagged", "/image", "/error"])
async def test_others_are_not(client: httpx.AsyncClient, path: str) -> None:
    response, raw = await sent(client, path)
    assert "content-encoding" not in response.headers
    assert int(response.headers["content-length"]) == len(raw) >= 1024
    assert response.headers.get("vary") == ("Accept-Encoding" if path == "/short" else None)


async def test_what_answers_a_post_is_never_compressed(client: httpx.AsyncClient) -> None:
    """It may contain a new secret beside what the client has sent."""
    response, raw = await sent(client, "/long", method="POST")
    assert ("content-encoding" in response.headers, raw) == (False, LONG)


async def test_what_is_compressed_already_is_left(client: httpx.AsyncClient) -> None:
    response, raw = await sent(client, "/packed")
    assert (response.headers.get_list("content-encoding"), gzip.decompress(raw)) == (["gzip"], LONG)


async def streamed(parts: AsyncGenerator[bytes], taken: list[Message]) -> None:
    async def receive() -> Message:
        raise AssertionError

    async def send(message: Message) -> None:
        taken.append(message)

    request = {**scope("/"), "headers": [(b"accept-encoding", b"gzip")], "asgi": {"spec_version": "2.4"}}
    await Compression(StreamingResponse(parts, media_type="application/json"))(request, receive, send)


async def test_each_part_of_a_stream_is_readable_when_it_is_sent() -> None:
    taken: list[Message] = []
    reader, read = zlib.decompressobj(wbits=31), b""
    rows = [b'[{"n":0}', *(b',{"n":%d}' % n for n in range(1, 50)), b"x" * 300_000, b"]"]

    async def parts() -> AsyncGenerator[bytes]:
        nonlocal read
        for number, row in enumerate(rows):
            yield row
            while taken:
                read += reader.decompress(taken.pop(0).get("body", b""))
            assert read == b"".join(rows[: number + 1])

    await streamed(parts(), taken)
    assert [message.get("more_body", False) for message in taken] == [False]
    assert reader.decompress(taken[-1]["body"]) == b""
    assert reader.eof


async def test_a_stream_says_what_it_is_and_takes_no_memory() -> None:
    class Nothing(list[Message]):
        """Keeps the first message."""

        def append(self, message: Message) -> None:
            if not self:
                super().append(message)

    async def parts() -> AsyncGenerator[bytes]:
        for number in range(300):
            yield b"%d" % number * 30_000

    taken = Nothing()
    tracemalloc.start()
    try:
        await streamed(parts(), taken)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    headers = dict(taken[0]["headers"])
    assert (headers[b"content-encoding"], headers[b"vary"]) == (b"gzip", b"Accept-Encoding")
    assert b"content-length" not in headers
    assert peak < 2_000_000

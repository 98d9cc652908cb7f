"""Memory stays flat, and a neighbour is served, in spite of what a stranger sends or leaves unread.

The bound is generous: on a program without limits one of these connections costs hundreds of megabytes.
"""

import asyncio
from itertools import repeat

import pytest

from tests.hostile import attacks
from tests.hostile.serving import Server

pytestmark = pytest.mark.anyio

BOUND = 60
"""Megabytes that an attack may add, buffers and the pages that the neighbour opens included."""

HOST = b" HTTP/1.1\r\nHost: t\r\n"
FORM = b"POST /sign-in" + HOST + b"Content-Type: application/x-www-form-urlencoded\r\n"
CHUNKED = FORM + b"Transfer-Encoding: chunked\r\n\r\n"
MEGABYTE = b"x" * 1_000_000

STALLED = {
    "form": (FORM + b"Content-Length: 1048576\r\n\r\n", MEGABYTE),
    "form in chunks": (CHUNKED, b"100000\r\n" + MEGABYTE),
    "extensions of chunks": (CHUNKED, b"1;" + MEGABYTE),
    "empty chunk extensions": (CHUNKED, b"1;a\r\nx\r\n" * 60_000),
    "trailers": (CHUNKED, b"0\r\n" + b"a: b\r\n" * 100_000),
    "a header": (b"GET /" + HOST + b"x: ", MEGABYTE),
    "headers": (b"GET /" + HOST, b"a: b\r\n" * 100_000),
    "an address": (b"GET /", MEGABYTE),
    "an upgrade": (b"GET /healthz" + HOST + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n", MEGABYTE),
    "a body after its response": (b"POST /nowhere" + HOST + b"Content-Length: 900000000\r\n\r\n", MEGABYTE),
}


@pytest.fixture(scope="module", autouse=True)
async def warm(server: Server) -> None:
    """What the first pages load is not the attack's."""
    for _ in range(3):
        assert (await attacks.right_sign_in(server))[0] == 303


@pytest.mark.parametrize("path", [b"/healthz", b"/sign-in", b"/swagger/doc.json"])
@pytest.mark.parametrize("connections", [1, 4])
async def test_requests_that_nobody_reads(server: Server, path: bytes, connections: int) -> None:
    before = server.memory
    async with attacks.neighbour(server) as fate:
        attack = attacks.pipeline(server, connections, 4, b"GET " + path + HOST + b"\r\n")
        most = await attacks.peak(server, attack)
    assert most - before < BOUND
    assert set(fate.statuses) == {200}


@pytest.mark.parametrize(("head", "body"), STALLED.values(), ids=STALLED)
async def test_requests_that_do_not_end(server: Server, head: bytes, body: bytes) -> None:
    before = server.memory

    async def stall() -> None:
        await attacks.stall(server, 200, 3, head, body)

    async with attacks.neighbour(server) as fate:
        most = await attacks.peak(server, stall())
    assert most - before < BOUND
    assert set(fate.statuses) == {200}


async def test_a_body_that_trickles_ends(server: Server) -> None:
    head = FORM + b"Content-Length: 1000\r\n\r\n"
    answers = await asyncio.gather(*(attacks.trickle(server, one, 60) for one in repeat(head, 20)))
    assert {line for line, _ in answers} == {b"HTTP/1.1 408 Request Timeout\r\n"}
    assert max(seconds for _, seconds in answers) < 40

"""What a stranger does to a server, and how a neighbour fares meanwhile. Everything is bounded in time and amount."""

import asyncio
import re
import time
import uuid
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import httpx

from tests.hostile.serving import NEIGHBOUR, STRANGER, Server

PIPELINED = 200_000

_PAUSE = 2.0
"""Seconds after a refusal: its Retry-After."""

_GET = b"GET /healthz HTTP/1.1\r\nHost: t\r\n\r\n"
_CSRF = re.compile(r'name="csrf" value="([^"]+)"')


@dataclass
class Fate:
    """Of the neighbour."""

    statuses: Counter[int] = field(default_factory=Counter[int])
    slowest: float = 0.0


@dataclass
class Flood:
    """Of requests."""

    statuses: Counter[int] = field(default_factory=Counter[int])
    refused: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a request was refused with 503."""


@asynccontextmanager
async def neighbour(server: Server) -> AsyncGenerator[Fate]:
    """A customer who opens a page again and again, with a new connection each time, at least once. The last visit ends
    by itself."""
    fate, over = Fate(), asyncio.Event()

    async def visit() -> None:
        while not (over.is_set() and fate.statuses):
            begun = time.monotonic()
            async with server.client() as client:
                answer = await client.get("/sign-in")
            fate.statuses[answer.status_code] += 1
            fate.slowest = max(fate.slowest, time.monotonic() - begun)
            await asyncio.sleep(0.05)

    visiting = asyncio.create_task(visit())
    try:
        yield fate
    finally:
        over.set()
        await visiting


async def peak(server: Server, attack: Awaitable[None]) -> int:
    """The most memory during an attack, in megabytes."""
    running, most = asyncio.ensure_future(attack), server.memory
    while not running.done():
        await asyncio.wait([running], timeout=0.2)
        most = max(most, server.memory)
    await running
    return most


async def pipeline(server: Server, connections: int, seconds: float, request: bytes = _GET) -> None:
    """Sends many requests over each connection, and reads no response."""

    async def send() -> None:
        _, writer = await server.connect()
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        try:
            with suppress(TimeoutError, ConnectionError):
                async with asyncio.timeout(seconds):
                    for _ in range(PIPELINED // 1000):
                        writer.write(request * 1000)
                        await writer.drain()
                    await asyncio.Event().wait()
        finally:
            writer.transport.abort()

    await asyncio.gather(*(send() for _ in range(connections)))


async def stall(server: Server, connections: int, seconds: float, head: bytes, body: bytes) -> list[bytes]:
    """Sends the beginning of a request over each connection and waits. Returns the first lines of the responses."""

    async def send() -> bytes:
        with suppress(TimeoutError, ConnectionError):
            reader, writer = await server.connect()
            try:
                async with asyncio.timeout(seconds):
                    writer.write(head)
                    writer.write(body)
                    await writer.drain()
                    return await reader.readline()
            finally:
                writer.transport.abort()
        return b""

    return await asyncio.gather(*(send() for _ in range(connections)))


async def trickle(server: Server, head: bytes, seconds: float) -> tuple[bytes, float]:
    """Sends a body, a byte a second. Returns the first line of the response, and when it came."""
    begun = time.monotonic()
    reader, writer = await server.connect()
    try:
        writer.write(head)
        line = asyncio.create_task(reader.readline())
        while not line.done() and time.monotonic() - begun < seconds:
            writer.write(b"x")
            await asyncio.wait([line], timeout=1)
        return (await line if line.done() else b""), time.monotonic() - begun
    finally:
        writer.transport.abort()


@asynccontextmanager
async def crowd(server: Server, connections: int) -> AsyncGenerator[Counter[bytes]]:
    """Many connections at once, each with one request. Yields the first lines of the responses; they stay open."""
    lines: Counter[bytes] = Counter()
    writers: list[asyncio.StreamWriter] = []

    async def ask() -> None:
        try:
            async with asyncio.timeout(20):
                reader, writer = await server.connect()
                writers.append(writer)
                writer.write(_GET)
                lines[(await reader.readline()).rstrip()] += 1
        except (OSError, TimeoutError) as error:
            lines[type(error).__name__.encode()] += 1

    try:
        await asyncio.gather(*(ask() for _ in range(connections)))
        yield lines
    finally:
        for writer in writers:
            writer.transport.abort()


@asynccontextmanager
async def forever(work: Callable[[int], Awaitable[int]], workers: int) -> AsyncGenerator[Flood]:
    """So many at once, again and again."""
    flood = Flood()

    async def repeat(number: int) -> None:
        while True:
            status = await work(number)
            flood.statuses[status] += 1
            if status == 503:
                flood.refused.set()
                # The attack shares a process with the sign-in that is timed: faster, and it would time itself.
                await asyncio.sleep(_PAUSE)

    tasks = [asyncio.create_task(repeat(number)) for number in range(workers)]
    try:
        yield flood
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def key_on_unknown_accounts(server: Server, connections: int) -> AsyncGenerator[Flood]:
    """One partner's key, which sets the password of an account that does not exist."""
    headers = {"Authorization": f"Bearer {server.secrets.keys['partner_admin']}"}
    limits = httpx.Limits(max_connections=connections)
    transport = httpx.AsyncHTTPTransport(local_address=STRANGER, limits=limits)
    async with httpx.AsyncClient(transport=transport, base_url=server.origin, timeout=100, headers=headers) as client:

        async def work(_: int) -> int:
            path = "/ext/v1/storage-account/999999999999/password"
            return (await client.put(path, json={"password": "Sesame-opens-1"})).status_code

        async with forever(work, connections) as flood:
            yield flood


@asynccontextmanager
async def anonymous_sign_ins(server: Server, connections: int) -> AsyncGenerator[Flood]:
    """From the addresses of one network, so that none has failed too often to be verified."""
    clients = [server.client(f"127.0.2.{1 + number % 250}") for number in range(connections)]
    tokens = [await _csrf(client) for client in clients]

    async def work(number: int) -> int:
        return await _sign_in(clients[number], tokens[number], f"{uuid.uuid4().hex}@example.org", "wrong")

    try:
        async with forever(work, connections) as flood:
            yield flood
    finally:
        await asyncio.gather(*(client.aclose() for client in clients))


async def right_sign_in(server: Server, address: str = NEIGHBOUR) -> tuple[int, float]:
    """The status, and the seconds that it took from opening the page."""
    (login,) = [one for one in server.secrets.members if one.email == "admin@operator.example.com"]
    begun = time.monotonic()
    async with server.client(address) as client:
        status = await _sign_in(client, await _csrf(client), login.email, login.password)
    return status, time.monotonic() - begun


async def _csrf(client: httpx.AsyncClient) -> str:
    page = await client.get("/sign-in")
    found = _CSRF.search(page.text)
    assert found, page.status_code
    return found[1]


async def _sign_in(client: httpx.AsyncClient, token: str, email: str, password: str) -> int:
    fields = {"csrf": token, "email": email, "password": password, "next": "/"}
    return (await client.post("/sign-in", data=fields)).status_code

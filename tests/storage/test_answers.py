"""Servers with private certificates, responses that are too slow or endless, and impossible numbers."""

import asyncio
import datetime
import json
import ssl
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from tests.storage.conftest import SHORT_TIMEOUTS
from tests.tls import Authority
from tonnage.errors import Unavailable
from tonnage.storage.admin_ops import Timeouts
from tonnage.storage.backend import AccessKey, DesiredAccount, Traffic, Usage
from tonnage.storage.ceph import CephBackend
from tonnage.storage.errors import BackendRefused, Misconfigured

pytestmark = pytest.mark.anyio

Respond = Callable[[asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def gateway_with(
    respond: Respond, timeouts: Timeouts = SHORT_TIMEOUTS, tls: ssl.SSLContext | None = None
) -> AsyncGenerator[CephBackend]:
    """A backend whose gateway is a server that answers each request by `respond`."""
    connections: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                await reader.readuntil(b"\r\n\r\n")
                await respond(writer)
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.add(task := asyncio.create_task(serve(reader, writer)))
        task.add_done_callback(connections.discard)

    server = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=tls)
    port = server.sockets[0].getsockname()[1]
    backend = CephBackend(f"{'https' if tls else 'http'}://127.0.0.1:{port}", AccessKey("A", "S"), timeouts)
    try:
        yield backend
    finally:
        await backend.close()
        server.close()
        for task in connections:
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)


def fixed_response(status: int, body: bytes) -> Respond:
    async def respond(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 %d X\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % (status, len(body)) + body)
        await writer.drain()

    return respond


def slow_response(at_once: bytes, then: bytes) -> Respond:
    """The body comes byte by byte: often enough not to look stalled."""

    async def respond(writer: asyncio.StreamWriter) -> None:
        writer.write(at_once)
        for byte in then:
            writer.write(bytes((byte,)))
            await writer.drain()
            await asyncio.sleep(0.03)

    return respond


NOBODY = fixed_response(404, b'{"Code":"NoSuchUser"}')


async def test_a_companys_own_authority_is_trusted_where_the_system_trusts_it(
    desired: DesiredAccount, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = Authority(tmp_path)
    async with gateway_with(NOBODY, tls=authority.server("127.0.0.1")) as backend:
        with pytest.raises(Unavailable) as refused:
            await backend.state(desired.user)
        # A user who creates a key reads this message, which names no host of the operator.
        assert str(refused.value) == "The storage cluster cannot be reached. Try again later."
        assert "CERTIFICATE_VERIFY_FAILED" in (await backend.check()).problems[0]
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    async with gateway_with(NOBODY, tls=authority.server("127.0.0.1")) as backend:
        assert await backend.state(desired.user) is None
    async with gateway_with(NOBODY, tls=authority.server("127.0.0.2")) as backend:
        assert "mismatch" in (await backend.check()).problems[0]


HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n"


@pytest.mark.parametrize("at_once", [b"", HEAD + b"\r\n"], ids=["head", "body"])
async def test_a_trickling_answer_times_out(desired: DesiredAccount, at_once: bytes) -> None:
    then = b" " * 1000 if at_once else HEAD + b"X-Padding: " + b"x" * 1000
    async with gateway_with(
        slow_response(at_once, then), replace(SHORT_TIMEOUTS, connect=0.3, purge=0.5, bulk=0.5)
    ) as backend:
        calls: list[Callable[[], Awaitable[object]]] = [
            lambda: backend.state(desired.user),
            lambda: backend.usage(desired.user),
            lambda: backend.purge(desired.user),
            lambda: anext(backend.accounts()),
            lambda: anext(backend.traffic(MORNING, MORNING + datetime.timedelta(hours=1), {})),
        ]
        for call in calls:
            started = time.monotonic()
            with pytest.raises(Unavailable, match="in time"):
                await call()
            assert time.monotonic() - started < 5
        report = await backend.check()
        assert (report.reachable, len(report.problems)) == (False, 1)


MORNING = datetime.datetime(2026, 3, 15, 8, tzinfo=datetime.UTC)


async def test_a_long_answer_may_take_its_time_as_long_as_it_flows() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 53\r\nConnection: close\r\n\r\n"
    page = b'{"keys": [], "truncated": false, "marker": "" } '.ljust(53)
    timeouts = Timeouts(connect=0.1, read=1, bulk=60)
    async with gateway_with(slow_response(head, page), timeouts) as backend:
        started = time.monotonic()
        assert [account async for account in backend.accounts()] == []
        assert time.monotonic() - started > timeouts.connect + timeouts.read


async def test_an_answer_without_an_end_is_not_cephs(desired: DesiredAccount) -> None:
    async def respond(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        while True:
            writer.write(b" " * 2**16)
            await writer.drain()

    async with gateway_with(respond, Timeouts(read=60)) as backend:
        with pytest.raises(Misconfigured, match="longer than"):
            await backend.state(desired.user)


def stored(size: str, objects: str = "1") -> Respond:
    return fixed_response(200, b'{"stats": {"size": %s, "num_objects": %s}}' % (size.encode(), objects.encode()))


@pytest.mark.parametrize("number", [str(2**63), str(2**64 - 4096), "-1"])
async def test_impossible_usage_is_an_error(desired: DesiredAccount, number: str) -> None:
    for respond in (stored(number), stored("1", number)):
        async with gateway_with(respond) as backend:
            with pytest.raises(BackendRefused, match=f"{number} .* is impossible.*--reset-stats"):
                await backend.usage(desired.user)


@pytest.mark.parametrize("number", ["1.5", '"1"', "null", "[]"])
async def test_usage_that_is_no_number_is_not_cephs(desired: DesiredAccount, number: str) -> None:
    async with gateway_with(stored(number)) as backend:
        with pytest.raises(Misconfigured, match="unexpected format"):
            await backend.usage(desired.user)


async def test_the_greatest_usage_there_can_be(desired: DesiredAccount) -> None:
    async with gateway_with(stored(str(2**63 - 1), "0")) as backend:
        assert await backend.usage(desired.user) == Usage(2**63 - 1, 0)


@pytest.mark.parametrize("number", [2**63, 2**64 - 1])
async def test_one_impossible_counter_of_traffic_keeps_no_other_account_from_being_read(number: int) -> None:
    def entry(account_id: int, sent: int) -> dict[str, object]:
        category = {"category": "get_obj", "bytes_sent": sent, "bytes_received": 2, "ops": 1}
        return {"user": f"acct_{account_id}$main", "buckets": [{"bucket": "b", "categories": [category]}]}

    body = json.dumps({"entries": [entry(100_000_000_001, number), entry(100_000_000_002, 3)]}).encode()
    hour = datetime.datetime(2026, 3, 1, 12, tzinfo=datetime.UTC)
    async with gateway_with(fixed_response(200, body)) as backend:
        read = [row async for row in backend.traffic(hour, hour + datetime.timedelta(hours=1), {})]
    assert read == [Traffic(100_000_000_002, hour, 3, 2, 1)]

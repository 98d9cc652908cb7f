"""Connections of one client, and of all: counted, refused with 503, and logged without filling the log."""

import asyncio
import resource
import signal
from ipaddress import ip_network
from pathlib import Path

import pytest

from tests.cli.http_connection import Connect
from tests.cli.running import started
from tonnage.cli.connection_limits import RESERVED_FILES, ClientConnectionLimits, Refused, most_connections

GET = b"GET / HTTP/1.1\r\nHost: t\r\n\r\n"


@pytest.fixture
def limits() -> ClientConnectionLimits | None:
    """Of the fixture `connect`."""
    return ClientConnectionLimits(3, 2)


@pytest.mark.anyio
async def test_a_connection_too_many_is_refused_and_its_place_can_be_had_again(
    connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    first, second = await connect(), await connect()
    assert [(await one.ask(GET)).status for one in (first, second)] == [200, 200]
    refused = await connect()
    answer = await refused.ask(GET)
    assert (answer.status, answer.headers["retry-after"]) == (503, "5")
    assert "your address" in answer.problem["detail"]
    await refused.ends()
    assert "refused 1 connections with 503: 127.0.0.1 already has 2" in caplog.text
    first.writer.close()
    async with asyncio.timeout(30):
        while (await (await connect()).ask(GET)).status != 200:
            pass
    assert (await second.ask(GET)).status == 200


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("2001:db8:1:1::1", "2001:db8:1:2::1", True),
        ("2001:db8:1::1", "2001:db8:2::1", False),
        ("fe80::1%eth0", "fe80::2%eth1", True),
    ],
)
def test_what_counts_as_one_client(one: str, other: str, same: bool) -> None:
    limits = ClientConnectionLimits(10, 1)
    limits.enter(one)
    if same:
        with pytest.raises(Refused):
            limits.enter(other)
    else:
        limits.enter(other)


@pytest.mark.parametrize("proxy", ["10.0.0.9", "::ffff:10.0.0.9", "2001:db8::1"])
def test_the_connections_of_a_trusted_proxy_are_not_those_of_one_client(proxy: str) -> None:
    limits = ClientConnectionLimits(20, 2, (ip_network("10.0.0.0/24"), ip_network("2001:db8::1/128")))
    entered = [limits.enter(proxy) for _ in range(20)]
    with pytest.raises(Refused):
        limits.enter(proxy)
    limits.leave(None)
    for one in entered:
        limits.leave(one)
    limits.enter(proxy)


def test_all_together_have_a_limit() -> None:
    limits = ClientConnectionLimits(3, 2)
    for host in range(3):
        limits.enter(f"192.0.2.{host}")
    with pytest.raises(Refused, match="no free connections"):
        limits.enter("192.0.2.9")


def test_a_flood_writes_one_line_and_keeps_few_connections(caplog: pytest.LogCaptureFixture) -> None:
    limits, lingering = ClientConnectionLimits(10, 1), 0
    limits.enter("192.0.2.1")
    for _ in range(1000):
        try:
            limits.enter("192.0.2.1")
        except Refused as refusal:
            lingering += refusal.may_linger
    assert lingering == 64
    assert len(caplog.records) == 1


def test_the_limit_of_open_files_is_the_limit_of_connections(caplog: pytest.LogCaptureFixture) -> None:
    assert most_connections(4096, 1 << 20) == 4096
    assert caplog.records == []
    assert most_connections(4096, 1024) == 1024 - RESERVED_FILES
    assert "raise the limit of open files, which is 1024" in caplog.text
    assert most_connections(4096, 256) > 0


def test_serve_raises_the_limit_of_open_files(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (512, before[1]))
    try:
        with started("serve", "--port", "0", "--data-dir", tmp_path / "data") as running:
            resource.setrlimit(resource.RLIMIT_NOFILE, before)
            assert running.origin
            (line,) = [
                line
                for line in Path(f"/proc/{running.process.pid}/limits").read_text().splitlines()
                if line.startswith("Max open files")
            ]
            assert running.end(signal.SIGTERM) == 0
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert line.split()[3:5] == [str(before[1])] * 2

"""Lists: their order, and the server's resources for a long one."""

import asyncio
import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import httpx
import psycopg
import pytest
import uvicorn

from tests.api.conftest import AppClient
from tests.api.lists import every_list, identity
from tests.cast import Cast
from tests.roles import as_owner
from tonnage.asgi import create_app
from tonnage.db import connect
from tonnage.passwords import PER_ORGANISATION
from tonnage.web.json_list import JsonListResponse, TransferLimits

ACCOUNTS, DAYS = 10_000, 31
PERIOD = "from=2020-01-01&to=2020-01-31"


@pytest.mark.anyio
async def test_the_order_is_that_of_creation_in_one_instant(client: AppClient) -> None:
    for one in await every_list(client):
        before = [identity(element) for element in await one.whole()]
        await asyncio.gather(*(one.add() for _ in range(PER_ORGANISATION)))
        meanwhile = [identity(element) for element in await one.whole()]
        await one.add()
        after = [identity(element) for element in await one.whole()]
        assert meanwhile[: len(before)] == before, one.path
        assert len(meanwhile) == len(before) + PER_ORGANISATION
        assert after[:-1] == meanwhile


@pytest.mark.anyio
async def test_added_elements_come_last(client: AppClient) -> None:
    for one in await every_list(client):
        seen = [identity(element) for element in await one.whole()]
        for _ in range(5):
            await one.add()
            listed = [identity(element) for element in await one.whole()]
            assert listed[:-1] == seen, one.path
            seen = listed


@pytest.mark.anyio
async def test_pages_and_short_lists_do_not_wait_for_long_ones(client: AppClient) -> None:
    lists = await every_list(client)
    streams = client.app.state.services.database.streams
    async with AsyncExitStack() as taken:
        for _ in range(streams.max_size):
            await taken.enter_async_context(streams.connection())
        for one in lists:
            whole = await one.whole()
            assert [element async for page in one.pages(3) for element in page] == whole, one.path


@dataclass(frozen=True)
class Large:
    """A database with a partner that has very many storage accounts, and a month of their usage."""

    conninfo: str
    key: str


@pytest.fixture
def large(new_database: Callable[[], AbstractContextManager[str]]) -> Generator[Large]:
    with new_database() as conninfo:
        yield Large(conninfo, asyncio.run(_fill(conninfo)))


async def _fill(conninfo: str) -> str:
    async with connect(conninfo) as database:
        cast = await Cast.of(database)
        await cast.region()
        distributor = await cast.distributor()
        partner = await cast.partner(distributor, await cast.contract(distributor))
        key = await cast.key(partner)
    parameters = {"partner": partner.organisation_id, "accounts": ACCOUNTS, "days": DAYS}
    async with await psycopg.AsyncConnection.connect(as_owner(conninfo), autocommit=True) as connection:
        await connection.execute("select ensure_usage_partitions('2020-01-01', '2020-01-31')")
        await connection.execute(
            """
            insert into storage_account (id, partner_id, region_id, name, name_key, contact_email, contact_email_key,
                password_hash, allocated_capacity, allow_overdraft, created_at, terms_since)
            select 100000000000 + n, %(partner)s, (select id from region where is_default), 'Account ' || n,
                'account ' || n, n || '@example.org', n || '@example.org', 'hash', 0, false,
                '2020-01-01', '2020-01-01'
            from generate_series(1, %(accounts)s) n
            """,
            parameters,
        )
        await connection.execute("update account_usage set used = 123456789012, rolled_up_to = '2020-01-31'")
        await connection.execute(
            """
            insert into account_terms (account_id, valid_from, allocated_capacity, allow_overdraft)
            select id, created_at, 0, false from storage_account
            """
        )
        await connection.execute(
            """
            insert into daily_usage (account_id, usage, closing, day, samples)
            select s.id, 123456789012 + day, 123456789012, date '2019-12-31' + day, 24
            from storage_account s, generate_series(1, %(days)s) day
            """,
            parameters,
        )
        await connection.execute("analyze storage_account, account_terms, daily_usage")
    return key


def test_a_long_list_needs_little_memory(large: Large, tmp_path: Path) -> None:
    command = (sys.executable, "-m", "tonnage", "serve", "--port", "0", "--no-worker")
    settings = {"TONNAGE_DATABASE_URL": large.conninfo, "TONNAGE_DATA_DIR": str(tmp_path)}
    with subprocess.Popen(command, env={**os.environ, **settings}, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            path = "/v1/storage-accounts/usage"
            headers = {"Authorization": f"Bearer {large.key}"}
            with httpx.Client(base_url=_origin(server.stdout), headers=headers, timeout=60) as http:
                assert len(http.get(f"{path}?{PERIOD}&limit=10").json()) == 10
                before = _reset_peak(server.pid)
                answer = http.get(f"{path}?{PERIOD}")
                growth = _peak(server.pid) - before
        finally:
            server.terminate()
    report = json.loads(answer.content)
    assert [len(account["daily_usage"]) for account in report] == [DAYS] * ACCOUNTS
    assert len(answer.content) > 16 * 1024**2
    assert growth <= 16 * 1024**2


def _origin(output: IO[str]) -> str:
    printed: list[str] = []
    for line in output:  # which ends with the process, so that a failed start does not wait forever
        printed.append(line)
        if served := re.match(r"Tonnage serves (http://\S+)/v1", line):
            return served[1]
    pytest.fail(f"the server has not started: {''.join(printed)}")


def _reset_peak(pid: int) -> int:
    """The process's resident bytes; resets its peak."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")
    return _resident(pid, "VmRSS")


def _peak(pid: int) -> int:
    return _resident(pid, "VmHWM")


def _resident(pid: int, what: str) -> int:
    found = re.search(rf"^{what}:\s+(\d+) kB$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1]) * 1024


@pytest.mark.anyio
async def test_a_stalled_reader_is_disconnected(large: Large, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a real connection, whose buffers the list fills: it would now occupy a connection of the pool."""
    defaults = JsonListResponse.__init__.__kwdefaults__
    assert defaults is not None
    assert "limits" in defaults
    monkeypatch.setitem(defaults, "limits", TransferLimits(chunk=0.3))
    app = create_app(large.conninfo)
    async with app.router.lifespan_context(app), AsyncExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off", ws="none"))
        serving = asyncio.create_task(server.serve([listener]))
        client = stack.enter_context(socket.socket())
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
        client.connect(listener.getsockname())  # which the listening socket accepts before the application serves
        reader, writer = await asyncio.open_connection(sock=client, limit=64 * 1024)
        writer.write(_request(large))
        assert await reader.readline() == b"HTTP/1.1 200 OK\r\n"
        async with AsyncExitStack() as taken:
            streams = app.state.services.database.streams
            for _ in range(streams.max_size):
                await taken.enter_async_context(streams.connection(timeout=30))
        rest = await reader.read()
        assert b'"client_id":"' in rest
        assert not rest.endswith(b"0\r\n\r\n")
        writer.close()
        server.should_exit = True
        await serving


@pytest.mark.anyio
async def test_slow_readers_of_one_partner_leave_connections_for_others(large: Large) -> None:
    app = create_app(large.conninfo)
    async with app.router.lifespan_context(app), AsyncExitStack() as stack:
        streams = app.state.services.database.streams
        streams.timeout = 30
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off", ws="none"))
        serving = asyncio.create_task(server.serve([listener]))
        answers: list[bytes] = []
        half = streams.max_size // 2
        async with AsyncExitStack() as slow, AsyncExitStack() as taken:
            for _ in range(streams.max_size):
                client = slow.enter_context(socket.socket())
                client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                client.connect(listener.getsockname())
                reader, writer = await asyncio.open_connection(sock=client, limit=1024)
                slow.callback(writer.close)
                writer.write(_request(large))
                answers.append(await reader.readline())
                if len(answers) == half:
                    streams.timeout = 0.3  # for the lists that wait in vain
            streams.timeout = 30
            for _ in range(half):
                await taken.enter_async_context(streams.connection())
        refused = b"HTTP/1.1 503 Service Unavailable\r\n"
        assert answers == [b"HTTP/1.1 200 OK\r\n"] * half + [refused] * half
        server.should_exit = True
        await serving


def _request(large: Large) -> bytes:
    target = f"/v1/storage-accounts/usage?{PERIOD}"
    return f"GET {target} HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer {large.key}\r\n\r\n".encode()

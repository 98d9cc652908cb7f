"""A frozen or slow server: every wait for the database ends in time, and leaves nothing behind."""

import asyncio
import os
import signal
from typing import Any, LiteralString

import psycopg
import pytest
from psycopg.errors import LockNotAvailable
from psycopg_pool import PoolTimeout
from starlette.types import Message

from tests.db.statements import execute
from tests.frozen import FreezableServer
from tonnage.db import Connection, Database, streamed
from tonnage.db.deadlines import DeadlinePassed, InDoubt, WaitLimit, limited
from tonnage.db.pools import Pools
from tonnage.web.json_list import JsonListResponse, Page

pytestmark = pytest.mark.anyio

SHORT = WaitLimit(0.5)
"""For each wait separately."""

WRITE = "insert into written values (1)"


async def count(database: Database, query: Any) -> int:
    async def read(conn: Connection) -> Any:
        return await (await conn.execute(query)).fetchone()

    return (await database.run(read))[0]


@pytest.mark.parametrize(
    ("statement", "expected"),
    [("select 1", DeadlinePassed), (WRITE, InDoubt), (f"with w as ({WRITE} returning 1) select * from w", InDoubt)],
)
async def test_a_statement_of_its_own(
    server: FreezableServer, database: Database, statement: str, expected: type[Exception]
) -> None:
    """A frozen backend has received the statement, and executes it later: the result of a change is in doubt."""
    before = await count(database, "select count(*) from written")
    await database.run(execute, "select 1")
    server.freeze()
    with limited(SHORT), pytest.raises(psycopg.OperationalError) as caught:
        await database.run(execute, statement)
    assert type(caught.value) is expected
    server.thaw()
    async with asyncio.timeout(60):
        while await count(database, "select count(*) from written") < before + (expected is InDoubt):
            pass


async def test_a_transaction_that_had_not_come_to_its_commit(server: FreezableServer, database: Database) -> None:
    async def work(conn: Connection) -> None:
        async with conn.transaction():
            await conn.execute("truncate written")
        server.freeze()
        await conn.execute(WRITE)

    async def within_savepoint(conn: Connection) -> None:
        async with conn.transaction():
            await conn.execute(WRITE)
            server.freeze()

    for one in (work, within_savepoint):
        with limited(SHORT), pytest.raises(DeadlinePassed):
            await database.transaction(one)
        server.thaw()


async def test_a_commit_is_in_doubt(server: FreezableServer, database: Database) -> None:
    async def work(conn: Connection) -> None:
        async with conn.transaction():  # a savepoint: its release is no commit
            await conn.execute(WRITE)
        server.freeze()

    with limited(SHORT), pytest.raises(InDoubt):
        await database.transaction(work)


async def test_a_connection_that_is_lost_at_its_commit(server: FreezableServer, database: Database) -> None:
    async def work(conn: Connection) -> None:
        await conn.execute(WRITE)
        os.kill(conn.info.backend_pid, signal.SIGKILL)

    with pytest.raises(InDoubt):
        await database.transaction(work)


async def test_the_servers_own_refusal_is_not_in_doubt(database: Database) -> None:
    async def end_itself(conn: Connection) -> None:
        await conn.execute("with w as (insert into written values (2)) select pg_terminate_backend(pg_backend_pid())")

    with pytest.raises(psycopg.errors.AdminShutdown):
        await database.run(end_itself)


async def test_a_stream_that_stops(server: FreezableServer, database: Database) -> None:
    async with database.streams.connection() as conn:
        conn.limit = SHORT
        rows = streamed(conn, "select n, repeat('x', 100000) from generate_series(1, 2000) n", {})
        assert (await anext(rows))[0] == 1
        server.freeze()
        with pytest.raises(DeadlinePassed):
            async for _ in rows:
                pass


async def test_a_list_is_cut_where_its_rows_stop(server: FreezableServer) -> None:
    """Its last byte is never sent, so that no client takes the part for the whole."""

    def select(after: int | None, limit: int | None) -> tuple[LiteralString, dict[str, object]]:
        return "select n, convert_to('\"' || repeat('x', 100000) || '\"', 'UTF8') from generate_series(1, 2000) n", {}

    sent: list[bytes] = []
    limit = WaitLimit(60)  # until there are rows, however busy the machine is

    async def send(message: Message) -> None:
        sent.append(message.get("body", b""))
        if len(sent) == 2:
            server.freeze()
            limit.seconds = SHORT.seconds

    async def receive() -> Message:
        await asyncio.Event().wait()
        raise AssertionError("nobody leaves")

    options: dict[str, Any] = {"min_size": 1, "timeout": 5, "open": False, "kwargs": {"autocommit": True}}
    async with Pools().make(server.conninfo, "lists", limit=limit, **options) as pool:
        with pytest.raises(DeadlinePassed):
            await JsonListResponse(pool, Page(), select)({"type": "http", "state": {}}, receive, send)
        server.thaw()
    assert sent[1].startswith(b'["xxx')
    assert not sent[-1].endswith(b"]")


async def test_a_cancelled_wait_sends_no_cancel_request(server: FreezableServer, database: Database) -> None:
    """psycopg would request a cancellation, and wait for that, five seconds and five more."""
    begun = asyncio.Event()

    async def work(conn: Connection) -> None:
        await conn.execute(WRITE)
        server.freeze()
        begun.set()
        await conn.execute(WRITE)

    waiting = asyncio.create_task(database.transaction(work))
    await begun.wait()
    waiting.cancel()
    done, _ = await asyncio.wait([waiting], timeout=4)
    assert done
    assert waiting.cancelled()


async def test_the_waits_of_a_request_count_together(database: Database) -> None:
    async def three_times() -> None:
        for _ in range(3):
            await database.run(execute, "select pg_sleep(0.25)")

    with limited(WaitLimit(0.6, together=True)), pytest.raises((DeadlinePassed, PoolTimeout)):
        await three_times()
    with limited(WaitLimit(30)):
        await three_times()


async def test_nothing_is_sent_when_no_time_is_left(database: Database) -> None:
    async def work(conn: Connection) -> None:
        with limited(WaitLimit(0, together=True)):
            await conn.execute(WRITE)

    before = await count(database, "select count(*) from written")
    with pytest.raises(DeadlinePassed):
        await database.run(work)
    with limited(WaitLimit(0, together=True)), pytest.raises(PoolTimeout):
        await database.run(work)
    assert await count(database, "select count(*) from written") == before


async def test_an_abandoned_statement_is_cancelled_on_a_live_server(database: Database) -> None:
    with limited(WaitLimit(0.5)), pytest.raises(DeadlinePassed):
        await database.run(execute, "select pg_sleep(500)")
    still = "select count(*) from pg_stat_activity where query = 'select pg_sleep(500)' and state = 'active'"
    async with asyncio.timeout(60):
        while await count(database, still):
            pass


async def test_a_lock_is_refused_by_the_server_before_the_deadline(database: Database) -> None:
    """Otherwise a long transaction would pass for a server that does not answer."""

    async def holding(conn: Connection) -> None:
        await conn.execute("lock table written")
        with pytest.raises(LockNotAvailable):
            await database.run(execute, WRITE)

    with limited(WaitLimit(8)):
        await database.transaction(holding)

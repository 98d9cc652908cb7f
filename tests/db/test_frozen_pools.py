"""The pools of a frozen server: none of their earlier connections is used again, and none of their tasks hangs."""

import asyncio
import logging
from contextlib import AsyncExitStack
from typing import Any

import pytest
from procrastinate import PsycopgConnector
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from tests.db.statements import execute, pid
from tests.frozen import FreezableServer
from tonnage.db import Connection, Database
from tonnage.db.deadlines import DeadlineConnection, DeadlinePassed, WaitLimit, limited
from tonnage.db.pools import Pools
from tonnage.regions.backends import OpenBackends
from tonnage.services import Services
from tonnage.web.stream_limits import connection
from tonnage.worker import jobs_app

pytestmark = pytest.mark.anyio

SHORT = WaitLimit(0.5)
"""For each wait separately."""


async def several(database: Database) -> set[int]:
    """The backend processes of several connections, all of them in the pool again."""

    async def together(conn: Connection) -> int:
        await barrier.wait()
        return conn.info.backend_pid

    barrier = asyncio.Barrier(4)
    async with asyncio.timeout(60):
        return set(await asyncio.gather(*(database.run(together) for _ in range(4))))


async def test_earlier_connections_are_not_used_again(
    server: FreezableServer, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    before = await several(database)
    assert len(before) == 4
    async with database.streams.connection() as conn:
        before.add(conn.info.backend_pid)
    server.freeze()
    with limited(SHORT), caplog.at_level(logging.WARNING, "tonnage.db.pools"):
        failed = await asyncio.gather(*(database.run(execute, "select 1") for _ in range(3)), return_exceptions=True)
        assert [type(error) for error in failed] == [DeadlinePassed] * 3
        # No unchecked connection is left in the pool.
        with pytest.raises(PoolTimeout):
            await database.run(pid)
    server.thaw()
    assert not await several(database) & before
    async with database.streams.connection() as conn:
        assert conn.info.backend_pid not in before
    logged = [record.message for record in caplog.records if record.name == "tonnage.db.pools"]
    assert logged == ["the database did not answer in time; all connections to it are reopened"], "once"


async def test_a_list_waits_for_its_connection_no_longer_than_its_request(server: FreezableServer) -> None:
    async with (
        Pools().make(server.conninfo, "lists", min_size=1, max_size=1, open=False) as pool,
        connection(pool, None),
        AsyncExitStack() as stack,
    ):
        for owner in (None, "somebody"):
            with limited(WaitLimit(0.2, together=True)), pytest.raises(PoolTimeout, match=r"after 0\.[012]\d sec"):
                await stack.enter_async_context(connection(pool, owner))


async def test_a_connection_that_was_being_prepared_is_not_used(server: FreezableServer) -> None:
    prepared: list[int] = []

    async def prepare(conn: DeadlineConnection) -> None:
        if not prepared:
            server.freeze()
        prepared.append(conn.info.backend_pid)
        await conn.execute("select 1")
        ready.append(conn.info.backend_pid)

    ready: list[int] = []
    options: dict[str, Any] = {"min_size": 1, "open": False, "kwargs": {"autocommit": True}}
    async with Pools().make(server.conninfo, "prepared", prepare=prepare, **options) as pool:
        with pytest.raises(PoolTimeout):
            await pool.getconn(5)
        server.thaw()
        async with pool.connection(60) as conn:
            assert conn.info.backend_pid != prepared[0]
    assert prepared[0] not in ready


async def test_the_check_of_a_pool_ends_too(server: FreezableServer) -> None:
    """The job queue's pool checks each connection before it is acquired."""
    pools, check = Pools(), AsyncConnectionPool[DeadlineConnection].check_connection
    async with pools.make(server.conninfo, "checked", check=check, min_size=1, timeout=2, open=False) as pool:
        async with pool.connection() as conn:
            before = conn.info.backend_pid
        server.freeze()
        with limited(SHORT), pytest.raises(PoolTimeout):
            await pool.getconn()
        server.thaw()
        async with pool.connection(60) as conn:
            assert conn.info.backend_pid != before


async def test_the_job_queue_has_such_a_pool(database: Database, server: FreezableServer) -> None:
    app = jobs_app(server.conninfo, Services(database, OpenBackends(database, None)))
    async with app.open_async():
        assert isinstance(app.connector, PsycopgConnector)
        async with app.connector.pool.connection() as conn:
            assert isinstance(conn, DeadlineConnection)
            before = conn.info.backend_pid
        await database.run(execute, "select 1")
        # A freeze that requests notice empties it too.
        server.freeze()
        with limited(SHORT), pytest.raises(DeadlinePassed):
            await database.run(execute, "select 1")
        server.thaw()
        async with app.connector.pool.connection(60) as conn:
            assert conn.info.backend_pid != before

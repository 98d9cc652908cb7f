"""Connections that the server ends: reads are repeated, changes never, and no dead connection is used twice."""

import asyncio
import re
from typing import Any

import psycopg
import pytest
from psycopg.errors import AdminShutdown

from tests.db.statements import execute
from tests.frozen import FreezableServer
from tonnage.db import Connection, Database
from tonnage.db.deadlines import InDoubt, is_read
from tonnage.migrations.rules import SCHEMA

pytestmark = pytest.mark.anyio

WRITE = "insert into written values (1)"
DEAD = 4


class Work:
    """Executes its statements, and counts how often it was run."""

    def __init__(self, *statements: Any) -> None:
        self.statements = statements
        self.runs = 0

    async def __call__(self, conn: Connection) -> None:
        self.runs += 1
        for statement in self.statements:
            await conn.execute(statement)


async def fill(database: Database) -> None:
    """Several connections, all of them in the pool."""

    async def together(conn: Connection) -> None:
        await barrier.wait()

    barrier = asyncio.Barrier(DEAD)
    async with asyncio.timeout(60):
        await asyncio.gather(*(database.run(together) for _ in range(DEAD)))


def terminate(server: FreezableServer) -> None:
    """Ends every backend of the pools, as a restart does."""
    ours = "from pg_stat_activity where application_name like 'tonnage %' and datname = current_database()"
    with psycopg.connect(server.conninfo, autocommit=True) as conn:
        conn.execute(f"select pg_terminate_backend(pid, 60000) {ours}")  # type: ignore[arg-type]


def count(server: FreezableServer) -> int:
    with psycopg.connect(server.conninfo) as conn:
        row = conn.execute("select count(*) from written").fetchone()
    return row[0] if row else 0


async def test_a_read_is_repeated_once(server: FreezableServer, database: Database) -> None:
    await fill(database)
    terminate(server)
    read = Work("select count(*) from written", "select 1")
    await database.run(read)
    assert read.runs == 2

    class Again(Work):
        async def __call__(self, conn: Connection) -> None:
            await super().__call__(conn)
            terminate(server)
            await conn.execute("select 1")

    again = Again("select 1")
    with pytest.raises(psycopg.OperationalError):
        await database.run(again)
    assert again.runs == 2


async def test_a_change_is_not_repeated_and_the_next_one_gets_a_live_connection(
    server: FreezableServer, database: Database
) -> None:
    await fill(database)
    before = count(server)
    terminate(server)
    change = Work(WRITE)
    with pytest.raises((InDoubt, AdminShutdown)):
        await database.run(change)
    assert change.runs == 1
    for _ in range(DEAD):
        await database.run(change)
    assert count(server) == before + DEAD


@pytest.mark.parametrize("in_transaction", [True, False])
async def test_reads_after_a_change_are_not_repeated(
    server: FreezableServer, database: Database, in_transaction: bool
) -> None:
    before = count(server)

    class Reading(Work):
        async def __call__(self, conn: Connection) -> None:
            await super().__call__(conn)
            terminate(server)
            await conn.execute("select 1")

    reading = Reading(WRITE, "select 1")
    with pytest.raises(psycopg.OperationalError):
        await (database.transaction if in_transaction else database.run)(reading)
    assert reading.runs == 1
    assert count(server) == before + (not in_transaction)


async def test_a_copy_counts_as_a_change(server: FreezableServer, database: Database) -> None:
    async def copy(conn: Connection) -> None:
        runs.append(conn.info.backend_pid)
        async with conn.cursor().copy("copy written from stdin") as rows:
            await rows.write_row([3])
        terminate(server)
        await conn.execute("select 1")

    runs: list[int] = []
    with pytest.raises(psycopg.OperationalError):
        await database.run(copy)
    assert len(runs) == 1


async def test_a_statement_prepared_before_a_migration_is_prepared_again(
    server: FreezableServer, database: Database
) -> None:
    for _ in range(10):
        await database.run(execute, "select * from written")
    with psycopg.connect(server.conninfo, autocommit=True) as conn:
        conn.execute("alter table written add column added int")
        try:
            await database.run(execute, "select * from written")
        finally:
            conn.execute("alter table written drop column added")


def test_calls_of_functions_that_write_are_changes() -> None:
    """The text of a statement decides, so it must know them."""
    declared = re.findall(
        r"CREATE FUNCTION (\w+)\([^)]*\) RETURNS (\w+)\n\s*LANGUAGE (\w+)([^\n]*)", SCHEMA.read_text()
    )
    only_read = {"has_partition", "lock_usage", "require_partitioned_table"}
    writing = {
        name for name, returns, _, more in declared if returns != "trigger" and not re.search("STABLE|IMMUTABLE", more)
    } - only_read
    assert len(declared) > 5
    assert "audit" in writing
    for name in writing:
        assert not is_read(f"select {name}(1)"), f"{name}: add it to the pattern in db/deadlines.py, or to only_read"
    assert is_read("with a as (select 1) select * from a")
    assert not is_read("set lock_timeout to '1s'")

"""A refusal changes nothing: neither the resource nor any other row nor the queue of jobs."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias, TypeVar

import httpx
import pytest
from psycopg import sql

from tonnage.db import Connection, Database

E = TypeVar("E", bound=BaseException)
Contents: TypeAlias = tuple[int, Decimal]
"""The number of a table's rows and the sum of their hashes."""

COUNTERS = {
    "api_key": "last_used_at",
    "session": "last_seen_at",
}
"""Columns that every request may update, refused ones too."""

BESIDE = {
    "counted_event",
    "sign_in_throttle",
    "sign_in_failures",
    "procrastinate_workers",
    "procrastinate_periodic_defers",
}
"""Tables that are not compared: what is refused is counted because it was, and the queue has its own records."""


@asynccontextmanager
async def unchanged(database: Database) -> AsyncGenerator[None]:
    """The database is unchanged by the block. No other session may write to it meanwhile."""
    async with remembered(database) as before:
        yield
        await before.require_same(database)


@dataclass(frozen=True)
class Before:
    """The contents as they were: counted only if they are asked for, since a transaction keeps its view of them."""

    conn: Connection
    transactions: str
    """Those that had ended and those that had not: while it is the same, no session can see another row."""

    async def require_same(self, database: Database) -> None:
        if await database.run(_has_committed, self.transactions):
            assert_same(await snapshot(self.conn), await database.run(snapshot))


@asynccontextmanager
async def remembered(database: Database) -> AsyncGenerator[Before]:
    """Holds a connection of the streams, of which one is open and idle: a request may need all others."""
    async with database.streams.connection() as conn, conn.transaction():
        conn.start_use()
        await conn.execute("set transaction isolation level repeatable read")
        yield Before(conn, await _transactions(conn))


async def _transactions(conn: Connection) -> str:
    row = await (await conn.execute("select pg_current_snapshot()::text")).fetchone()
    assert row is not None
    return row[0]


_COMMITTED = """
    with known as (select %s::pg_snapshot as snapshot)
    select 1 from known, generate_series(
        pg_snapshot_xmin(snapshot)::text::bigint, pg_snapshot_xmax(pg_current_snapshot())::text::bigint - 1
    ) as number, cast(number::text as xid8) as transaction
    where not pg_visible_in_snapshot(transaction, snapshot) and pg_xact_status(transaction) = 'committed'
    limit 1
"""
"""A row if a transaction has committed since then. Those that were rolled back, as those of most refusals are, have
changed nothing.
"""


async def _has_committed(conn: Connection, since: str) -> bool:
    return await (await conn.execute(_COMMITTED, [since])).fetchone() is not None


@asynccontextmanager
async def refused(
    database: Database, error: type[E] | tuple[type[E], ...], match: str | None = None
) -> AsyncGenerator[pytest.ExceptionInfo[E]]:
    """`pytest.raises` that also checks that nothing changed: `async with refused(database, Conflict, "6 TB left"):`."""
    async with unchanged(database):
        with pytest.raises(error, match=match) as refusal:
            yield refusal


async def snapshot(conn: Connection) -> dict[str, Contents]:
    """The contents of every table."""
    cursor = await conn.execute(
        """
        select relname from pg_class
        where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition order by 1
        """
    )
    tables = [name for (name,) in await cursor.fetchall() if name not in BESIDE]
    counted = sql.SQL(" union all ").join(_hashed(table) for table in tables)
    return {table: (count, total) for table, count, total in await (await conn.execute(counted)).fetchall()}


def _hashed(table: str) -> sql.Composed:
    row = sql.SQL("t::text")
    if table in COUNTERS:
        row = sql.SQL("(to_jsonb(t) - {})::text").format(COUNTERS[table])
    return sql.SQL("select {}, count(*), coalesce(sum(hashtextextended({}, 0)), 0) from {} t").format(
        table, row, sql.Identifier(table)
    )


@dataclass
class RefusalCheck:
    """Checks for every refused request that nothing was changed, unless it overlaps with another request."""

    database: Database
    begun: int = 0
    under_way: int = 0

    async def send(self, request: Callable[[], Awaitable[httpx.Response]]) -> httpx.Response:
        self.begun += 1
        self.under_way += 1
        try:
            return await (self._alone(request) if self.under_way == 1 else request())
        finally:
            self.under_way -= 1

    async def _alone(self, request: Callable[[], Awaitable[httpx.Response]]) -> httpx.Response:
        number = self.begun
        async with remembered(self.database) as before:
            response = await request()
            if self.begun == number and 400 <= response.status_code < 500:
                await before.require_same(self.database)
        return response


def assert_same(before: dict[str, Contents], after: dict[str, Contents]) -> None:
    changed = sorted(table for table in after if after[table] != before.get(table))
    assert not changed, f"it was refused, and changed all the same: {', '.join(changed)}"

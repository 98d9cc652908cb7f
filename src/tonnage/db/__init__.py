"""Access to the database: pools, transactions, retries, and the name of the constraint that a statement violated."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Hashable, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from time import monotonic
from typing import Any, Concatenate, LiteralString, ParamSpec, TypeVar, TypeVarTuple, cast

import psycopg
from psycopg import AsyncConnection, AsyncCursor
from psycopg.abc import Buffer
from psycopg.adapt import Loader
from psycopg.errors import DeadlockDetected, SerializationFailure
from psycopg.pq import TransactionStatus
from psycopg.sql import SQL, Literal
from psycopg_pool import PoolTimeout

from tonnage.db.cancellation import cancellations, raise_lost
from tonnage.db.connection_limits import SLOT_WAIT, ConnectionLimits
from tonnage.db.deadlines import (
    JOB_LOCK_WAIT,
    REQUEST_LOCK_WAIT,
    STREAM_WAIT,
    DeadlineConnection,
    WaitLimit,
    wait_limit,
)
from tonnage.db.failures import OUTDATED_STATEMENT, is_lost
from tonnage.db.poolers import mark, require_mark
from tonnage.db.pools import JOB_CONNECTIONS, JOB_POOL_WAIT, POOL_WAIT, Pool, Pools
from tonnage.error_codes import UnavailableCode
from tonnage.errors import Unavailable

__all__ = [
    "ATTEMPTS",
    "Connection",
    "Database",
    "JsonText",
    "ListQuery",
    "Pool",
    "broken_constraint",
    "connect",
    "connect_for_jobs",
    "one_row",
    "savepoint_if_in_transaction",
    "streamed",
]

Connection = AsyncConnection[tuple[Any, ...]]
P = ParamSpec("P")
T = TypeVar("T")
Ts = TypeVarTuple("Ts")

ATTEMPTS = 3
"""How often work is attempted when the database aborts it because of a deadlock or a serialisation failure."""

_SESSION = SQL("""
    set timezone to 'UTC'; set datestyle to 'ISO, YMD'; set intervalstyle to 'postgres'; set client_encoding to 'UTF8';
    set default_transaction_isolation to 'read committed'; set jit to off;
    set idle_in_transaction_session_timeout to '60s'; set lock_timeout to {lock_timeout};
    do $$ begin
        perform set_config('client_connection_check_interval', '2s', false);
    exception when others then null;  -- not on every operating system
    end $$""")
"""Set explicitly, since SQL renders dates and JSON for the API. Set in the session itself: that overrides the server,
the role, the URL and libpq's environment variables, some of which override options that are sent with the connection.

The lock timeout is shorter than the client's deadline, so that only a server that does not answer is taken for a dead
one. A statement that was abandoned at the deadline ends when the server checks whether its client is still connected.
"""


class JsonText(Loader):
    """Returns `json` as the bytes that PostgreSQL rendered: they are sent to the client unchanged."""

    def load(self, data: Buffer) -> bytes:
        """The document, undecoded."""
        return bytes(data)


@dataclass(frozen=True)
class Database:
    """Two pools on one database: one for statements, one for lists that a client reads at its own speed."""

    pool: Pool
    streams: Pool
    pools: Pools
    """These two, and any other pool of the process on this server."""
    limits: ConnectionLimits
    """How many connections of `pool` each organisation may hold at once."""

    async def run(
        self, work: Callable[Concatenate[Connection, P], Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Runs `work(connection, *args, **kwargs)` on a connection in autocommit: each statement is its own
        transaction.

        A deadlock or serialisation failure rolls back and runs it again with the same arguments, at most ATTEMPTS times
        in total; so does a prepared statement that the server does not have any more. If the connection is lost, `work`
        that has only read is run once more. So it must have no effects outside the database. Raises Unavailable when no
        attempt succeeded, and what `deadlines` raises when the database does not answer.
        """
        limit, tries, before = wait_limit.get(), 0, cancellations()
        while True:
            owner = limit.owner
            connection = await self._take(limit, owner)
            try:
                result = await work(connection, *args, **kwargs)
            except psycopg.Error as error:
                tries += 1
                raise_lost(before)
                await self._require_retry(error, connection, tries)
                continue
            finally:
                try:
                    await self.pool.putconn(connection)
                finally:
                    if owner is not None:
                        self.limits.release(owner)
            raise_lost(before)
            return result

    async def _require_retry(self, error: psycopg.Error, connection: DeadlineConnection, tries: int) -> None:
        """Raises the error unless the work is to be run again."""
        if isinstance(error, DeadlockDetected | SerializationFailure):
            if tries >= ATTEMPTS:
                raise Unavailable(
                    "Too many changes of the same data at the same time. Try again.", UnavailableCode.LOCKED
                ) from error
        elif isinstance(error, OUTDATED_STATEMENT) and tries < ATTEMPTS:
            await connection.close()
        elif is_lost(error, connection):
            await self.pools.replace(connection)
            if tries > 1 or not connection.has_only_read:
                raise error
        else:
            raise error

    async def _take(self, limit: WaitLimit, owner: Hashable) -> DeadlineConnection:
        # Not pool.connection(): in autocommit there is nothing to commit, but its commit would cost a fifth of a lean
        # statement. putconn replaces a broken connection and rolls back an open transaction.
        began = monotonic()
        most = min(self.pool.timeout, limit.seconds)
        try:
            if owner is None:
                connection = await self._connection(most)
            else:
                await self.limits.acquire(owner, min(SLOT_WAIT, most))
                try:
                    connection = await self._connection(most - (monotonic() - began))
                except BaseException:
                    self.limits.release(owner)
                    raise
            connection.start_use()
            return connection
        finally:
            if limit.together:
                limit.seconds -= monotonic() - began

    async def _connection(self, seconds: float) -> DeadlineConnection:
        try:
            return await self.pool.getconn(seconds)
        except PoolTimeout as error:
            if self.pools.refusal:
                raise Unavailable(self.pools.refusal, UnavailableCode.DATABASE_UNAVAILABLE) from error
            raise

    async def transaction(
        self, work: Callable[Concatenate[Connection, P], Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """The same, with all statements of `work` in one transaction."""

        async def in_transaction(connection: Connection) -> T:
            async with connection.transaction():
                return await work(connection, *args, **kwargs)

        return await self.run(in_transaction)

    async def pages(
        self,
        read: Callable[[Connection, *Ts, int, int], Awaitable[list[T]]],
        *args: *Ts,
        id_of: Callable[[T], int],
        size: int,
    ) -> AsyncGenerator[list[T]]:
        """Yields what `read(connection, *args, after, size)` finds after an id, until it finds nothing more.

        `size` is the number of rows per call. No connection is held in between.
        """
        after = 0

        async def page(connection: Connection) -> list[T]:
            return await read(connection, *args, after, size)

        while some := await self.run(page):
            yield some
            after = id_of(some[-1])


@asynccontextmanager
async def connect(
    conninfo: str, *, size: int = 8, streams: int = 4, lock_wait: float = REQUEST_LOCK_WAIT
) -> AsyncGenerator[Database]:
    """Opens both pools. Does not wait for the server: the first statement finds out whether it is reachable."""
    pools = Pools()
    made = _options(conninfo, pools, lock_wait)
    async with (
        made("statements", max_size=size, timeout=POOL_WAIT) as statements,
        made("streams", max_size=streams, timeout=POOL_WAIT, limit=WaitLimit(STREAM_WAIT)) as lists,
    ):
        yield Database(statements, lists, pools, ConnectionLimits(size))


@asynccontextmanager
async def connect_for_jobs(conninfo: str, pools: Pools | None = None) -> AsyncGenerator[Database]:
    """Opens the pool of the jobs' statements, which is separate so that neither jobs nor requests starve the other.

    `pools`: the process's other pools on this server. Jobs read no streams.
    """
    pools = pools or Pools()
    made = _options(conninfo, pools, JOB_LOCK_WAIT)
    async with made("job statements", max_size=JOB_CONNECTIONS, timeout=JOB_POOL_WAIT) as statements:
        yield Database(statements, statements, pools, ConnectionLimits(JOB_CONNECTIONS))


def _options(conninfo: str, pools: Pools, lock_wait: float) -> Callable[..., Pool]:
    """A function that makes a pool with the settings of our sessions."""
    session = _SESSION.format(lock_timeout=Literal(f"{round(1000 * lock_wait)}ms"))

    async def prepare(connection: Connection) -> None:
        connection.adapters.register_loader("json", JsonText)
        await require_mark(connection, None)
        token, set_mark = mark()
        await connection.execute(session + set_mark)
        await require_mark(connection, token)

    return partial(pools.make, conninfo, prepare=prepare, kwargs={"autocommit": True}, min_size=1, open=False)


@asynccontextmanager
async def savepoint_if_in_transaction(connection: Connection) -> AsyncGenerator[None]:
    """Wraps a statement that the database may refuse, so that the numbers for the error message can still be read.

    In a transaction it sets a savepoint, since PostgreSQL accepts no further statements in a failed transaction. In
    autocommit it costs nothing.
    """
    if connection.info.transaction_status == TransactionStatus.IDLE:
        yield
    else:
        async with connection.transaction():
            yield


async def one_row(cursor: AsyncCursor[T]) -> T:
    """The row of a statement that has one whenever it succeeds, such as an aggregate. LookupError: it has none."""
    row = await cursor.fetchone()
    if row is None:
        raise LookupError("a statement that has a row whenever it succeeds has none")
    return row


async def streamed(
    conn: Connection, text: LiteralString, params: Mapping[str, object]
) -> AsyncGenerator[tuple[Any, ...]]:
    """The rows of a query as the database sends them, 100 at a time: for results of any length.

    Needs a connection of its own in autocommit for as long as the client reads: one of the pool of streams. A caller
    that stops early must close this generator, so that the rest of the query is cancelled.
    """
    async with conn.cursor() as cursor:
        rows = cast("AsyncGenerator[tuple[Any, ...]]", cursor.stream(text, params, size=100))
        async with aclosing(rows):
            async for row in rows:
                yield row


def broken_constraint(error: psycopg.Error) -> str:
    """The name of the constraint that refused a statement; 'overflow' when a total exceeded bigint; else ''."""
    if isinstance(error, psycopg.errors.NumericValueOutOfRange):
        return "overflow"
    return error.diag.constraint_name or ""


@dataclass(frozen=True)
class ListQuery:
    """The statement of a list: its rows are (seq, JSON text), in order of `seq`.

    A row without JSON only says that the object that owns the list exists; no row at all says that it does not. The
    statement uses the parameters `after` (a `seq`, or None) and `limit` (a number of rows, or None).
    """

    text: LiteralString
    params: Mapping[str, object]

    def __call__(self, after: int | None = None, limit: int | None = None) -> tuple[LiteralString, dict[str, object]]:
        """The text and its parameters, for the elements whose `seq` is greater than `after`."""
        return self.text, {**self.params, "after": after, "limit": limit}

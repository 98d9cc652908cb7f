"""A client-side deadline for every wait for the database.

A frozen server or a lost host does not answer, and none of the server's own timeouts runs there. So the client stops
waiting: it closes the socket without asking the server to cancel (that would be another wait), and all connections are
opened again. Every statement waits in psycopg's `wait`; decision 15 lists which parts of it are private.
"""

import asyncio
import re
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Hashable
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import Enum
from time import monotonic
from types import CoroutineType
from typing import Any, Self, TypeVar

import psycopg
from psycopg import AsyncConnection, AsyncCursor, AsyncTransaction
from psycopg.abc import Params, PQGen
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import ConnStatus, TransactionStatus
from psycopg.pq.abc import PGconn
from psycopg.rows import tuple_row
from psycopg.waiting import wait_async

Row = tuple[Any, ...]
T = TypeVar("T")

REQUEST_WAIT = 8.0
"""Seconds for all waits of a request together, so that a client gets its 503 within ten seconds."""

STREAM_WAIT = 8.0
"""Seconds that a list may wait for its next rows. The client's own pace does not count."""

JOB_WAIT = 120.0
"""Seconds that a job may wait for one statement. Longer than procrastinate waits for a notification (30 s)."""

COMMAND_WAIT = 15 * 60.0
"""Seconds that a command may wait for one statement: an import waits up to ten minutes for a previous import."""

REQUEST_LOCK_WAIT = 1.5
"""Seconds that a statement of a request waits for a lock. Then the server refuses it. A row that others wait for has
two locks, that of the queue and that of the transaction: so a request waits for a row for three seconds at most."""

JOB_LOCK_WAIT = 10.0
"""The same for a job, which is then retried."""

COMMAND_LOCK_WAIT = 30.0
"""The same for a command."""

_SUSPICIOUS = 2 * REQUEST_LOCK_WAIT + 1
"""Seconds without an answer from which a server is taken for a frozen one. A request that has used up most of its time
elsewhere stops waiting sooner, which says nothing about the server."""

CONNECT_WAIT = 3
"""Whole seconds to open a connection to one host. After a frozen host, a second host in the URL is still tried before
the timeout of the pool."""

_MOST_STATEMENTS = 50
"""How many statements a connection keeps, to decide whether it has only read."""

_INTERVAL = 0.1
"""psycopg's own constant: how often it checks whether it was interrupted."""

_TOO_LATE = "the database did not answer in time"

_WRITES = re.compile(
    r"\b(insert|update|delete|merge|truncate|call|copy|into)\b|procrastinate_"
    r"|\b(audit|save_response|ensure_\w*partitions?|drop_oldest_day|drop_audit_entries|nextval)\(",
    re.IGNORECASE,
)
_READS = re.compile(r"\s*(select|with|show|values)\b", re.IGNORECASE)


class DeadlinePassed(psycopg.OperationalError):
    """The database did not answer in time. Nothing was changed."""


class InDoubt(psycopg.OperationalError):
    """The database did not confirm a change, which may or may not have been made."""


@dataclass(slots=True)
class WaitLimit:
    """Seconds of waiting for the database: for each wait by itself, or for all of them `together`."""

    seconds: float
    together: bool = False
    owner: Hashable = None
    """The organisation of the request, once it is known: see `connection_limits`."""


_COMMAND = WaitLimit(COMMAND_WAIT)

wait_limit: ContextVar[WaitLimit] = ContextVar("wait_limit", default=_COMMAND)
"""The limit of the current context. Requests and jobs set theirs; a connection of the pool of streams has its own."""


def request_limit() -> WaitLimit:
    """A new limit for a request."""
    return WaitLimit(REQUEST_WAIT, together=True)


@contextmanager
def limited(limit: WaitLimit) -> Generator[None]:
    """Sets the limit for every wait for the database in this block, including waits in tasks that are started in it."""
    before = wait_limit.set(limit)
    try:
        yield
    finally:
        wait_limit.reset(before)


def seconds_left(most: float) -> float:
    """Seconds for the next wait, at most `most`."""
    return min(most, wait_limit.get().seconds)


def connect_timeout(conninfo: str) -> dict[str, Any]:
    """The parameter for psycopg, unless the URL has one."""
    return {} if "connect_timeout" in conninfo_to_dict(conninfo) else {"connect_timeout": CONNECT_WAIT}


class _Phase(Enum):
    """The phase of the outermost transaction. Nothing is in doubt while it is open."""

    OPEN = "open"
    COMMITTING = "committing"


class _Cursor(AsyncCursor[Row]):
    """Stores on its connection which statement is executed, to determine later whether a change may be in doubt."""

    # Not a coroutine around another one: every statement would pay for it.
    def execute(
        self, query: Any, params: Params | None = None, *, prepare: bool | None = None, binary: bool | None = None
    ) -> "CoroutineType[Any, Any, Self]":
        """As AsyncCursor."""
        connection: Any = self.connection  # its DeadlineConnection made it
        connection.statements.append(query)
        return super().execute(query, params, prepare=prepare, binary=binary)


class DeadlineConnection(AsyncConnection[Row]):
    """A connection with a deadline for every wait."""

    limit: WaitLimit | None = None
    """Its own limit, which takes precedence over that of the current context."""

    on_timeout: Callable[["DeadlineConnection"], Awaitable[None]] | None = None
    """Called after this connection was closed because the server did not answer."""

    def __init__(self, pgconn: PGconn) -> None:
        super().__init__(pgconn, tuple_row)
        self.cursor_factory = _Cursor
        self.opened_at = monotonic()
        self.statements = deque[object](maxlen=_MOST_STATEMENTS)
        """The latest that were executed since `start_use`; the last one may only have begun."""
        self.abandoned = False
        """Closed here, because the server did not answer in time."""
        self._waits = 0
        self._phase: _Phase | None = None

    def start_use(self) -> None:
        """To be called when the connection is taken from its pool."""
        self.statements.clear()
        self._waits = 0

    @property
    def has_only_read(self) -> bool:
        """Whether nothing but reads, each a transaction of its own, was sent since `start_use`."""
        # What did not come from `execute`, such as COPY or BEGIN, is a wait without a statement.
        return len(self.statements) == self._waits and all(is_read(statement) for statement in self.statements)

    async def wait(
        self,
        gen: PQGen[T],
        interval: float = _INTERVAL,
        timeout: float | None = None,  # noqa: ASYNC109  psycopg's
    ) -> T:
        """As AsyncConnection, within the limit.

        Raises DeadlinePassed, or InDoubt if the server may have made a change that it did not confirm. An interrupted
        statement is not cancelled on the server either: the socket is closed, and the server notices that.
        """
        self._waits += 1
        limit = self.limit or wait_limit.get()
        seconds = limit.seconds
        if timeout is not None and timeout < seconds:
            return await super().wait(gen, interval, timeout)
        if seconds <= 0:
            raise DeadlinePassed(_TOO_LATE)
        socket = self.pgconn.socket  # a closed connection has no socket: this raises OperationalError
        began = monotonic()
        try:
            return await wait_async(gen, socket, interval, seconds)
        except psycopg.OperationalError as error:
            if error.sqlstate:
                raise  # the server answered with an error
            if self.pgconn.status == ConnStatus.OK and monotonic() - began >= seconds:
                await self._abandon(suspicious=seconds >= _SUSPICIOUS or not limit.together)
                raise self._unanswered() from None
            if self.pgconn.status != ConnStatus.OK and self._may_have_changed():
                raise InDoubt(str(error)) from error
            raise
        except (asyncio.CancelledError, KeyboardInterrupt):
            if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                self.pgconn.finish()
            raise
        finally:
            if limit.together:
                limit.seconds -= monotonic() - began

    @asynccontextmanager
    async def transaction(
        self, savepoint_name: str | None = None, force_rollback: bool = False
    ) -> AsyncGenerator[AsyncTransaction]:
        """As AsyncConnection; a COMMIT that is not confirmed raises InDoubt."""
        if self._phase:
            async with super().transaction(savepoint_name, force_rollback) as inner:
                yield inner
            return
        self._phase = _Phase.OPEN
        try:
            async with super().transaction(savepoint_name, force_rollback) as outermost:
                yield outermost
                self._phase = _Phase.COMMITTING
        finally:
            self._phase = None

    async def _abandon(self, *, suspicious: bool) -> None:
        self.pgconn.finish()
        self.abandoned = True
        if suspicious and self.on_timeout:
            await self.on_timeout(self)

    def _unanswered(self) -> psycopg.OperationalError:
        return (InDoubt if self._may_have_changed() else DeadlinePassed)(_TOO_LATE)

    def _may_have_changed(self) -> bool:
        """Whether the server may have committed the last statement of this connection."""
        if self._phase:
            return self._phase is _Phase.COMMITTING
        return bool(self.statements) and _WRITES.search(str(self.statements[-1])) is not None


def is_read(statement: object) -> bool:
    """Whether a statement certainly changes nothing, according to its text."""
    text = str(statement)
    return _READS.match(text) is not None and _WRITES.search(text) is None

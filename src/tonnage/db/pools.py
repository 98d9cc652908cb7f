"""Pools of connections with deadlines."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Any
from weakref import WeakSet

from psycopg_pool import AsyncConnectionPool

from tonnage.db.deadlines import CONNECT_WAIT, DeadlineConnection, WaitLimit, connect_timeout, limited
from tonnage.db.poolers import MixedSessions, require_own_sessions
from tonnage.db.timelines import Timelines

_log = logging.getLogger(__name__)

Pool = AsyncConnectionPool[DeadlineConnection]

POOL_WAIT = 5.0
"""Seconds that a caller waits for a connection before it gets an error and must retry later."""

_CLOSE_WAIT = 1.0
"""Seconds for the tasks of a pool to end."""

JOB_CONNECTIONS = 8
JOB_POOL_WAIT = 60.0
"""The pool of the jobs' statements. A job has more time to wait than a person."""


class Pools:
    """Pools on one server. If it does not answer on one connection, all of them are suspect and are opened again."""

    def __init__(self) -> None:
        self._pools: WeakSet[Pool] = WeakSet()
        self._emptied_at = 0.0
        self._timelines = Timelines()
        self._is_checked = False
        self._checking = asyncio.Lock()
        self.refusal: str | None = None
        """Why the latest connection was refused here, although the server accepted it."""

    def make(
        self,
        conninfo: str,
        name: str,
        *,
        limit: WaitLimit | None = None,
        prepare: Callable[[DeadlineConnection], Awaitable[None]] | None = None,
        kwargs: dict[str, Any] | None = None,
        **options: Any,
    ) -> Pool:
        """A pool whose connections have that limit, or the limit of the current context; `options` are
        AsyncConnectionPool's.
        """

        async def configure(connection: DeadlineConnection) -> None:
            connection.on_timeout = self._empty
            # One of the three tasks of the pool runs this; none may hang on a server that has just frozen.
            with limited(WaitLimit(CONNECT_WAIT)):
                await self._timelines.require_latest(connection)
                if prepare:
                    try:
                        await prepare(connection)
                        await self._require_own_session(conninfo, connection)
                    except MixedSessions as error:
                        self._is_checked, self.refusal = False, str(error)
                        raise
            connection.limit = limit

        pool = AsyncConnectionPool(
            conninfo,
            connection_class=DeadlineConnection,
            name=name,
            configure=configure,
            # Otherwise the pauses between attempts grow to minutes, and a server that is back is found only after them.
            reconnect_timeout=POOL_WAIT,
            kwargs={"application_name": f"tonnage {name}", **connect_timeout(conninfo), **(kwargs or {})},
            **options,
        )
        self._pools.add(pool)
        return pool

    async def _require_own_session(self, conninfo: str, connection: DeadlineConnection) -> None:
        # Costs another connection. So only the first one is checked, and the first after all of them were replaced;
        # those opened meanwhile wait for that, but no longer than for a server that has just frozen.
        async with asyncio.timeout(CONNECT_WAIT) as waiting, self._checking:
            waiting.reschedule(None)
            if not self._is_checked:
                async with await DeadlineConnection.connect(
                    conninfo, autocommit=True, **connect_timeout(conninfo)
                ) as other:
                    await require_own_sessions(connection, other)
                self._is_checked, self.refusal = True, None

    async def close(self) -> None:
        """Ends every wait for a connection at once, and opens none any more."""
        for pool in list(self._pools):
            await pool.close(_CLOSE_WAIT)

    async def replace(self, lost: DeadlineConnection) -> None:
        """Opens all connections again after one was lost: they lead to a server that was restarted or replaced."""
        await self._replace(lost, "a connection to the database was lost; all connections to it are reopened")

    async def _empty(self, unanswered: DeadlineConnection) -> None:
        await self._replace(unanswered, "the database did not answer in time; all connections to it are reopened")

    async def _replace(self, connection: DeadlineConnection, reason: str) -> None:
        if connection.opened_at <= self._emptied_at:
            return
        self._emptied_at = monotonic()
        self._is_checked = False
        _log.warning(reason)
        for pool in list(self._pools):
            # Connections in use are closed when they are returned.
            await pool.drain()

"""Pools of connections with deadlines."""

import logging
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Any
from weakref import WeakSet

from psycopg_pool import AsyncConnectionPool

from tonnage.db.deadlines import CONNECT_WAIT, DeadlineConnection, WaitLimit, connect_timeout, limited

_log = logging.getLogger(__name__)

Pool = AsyncConnectionPool[DeadlineConnection]

POOL_WAIT = 5.0
"""Seconds that a caller waits for a connection before it gets an error and must retry later."""


class Pools:
    """Pools on one server. If it does not answer on one connection, all of them are suspect and are opened again."""

    def __init__(self) -> None:
        self._pools: WeakSet[Pool] = WeakSet()
        self._emptied_at = 0.0

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
            if prepare:
                # One of the three tasks of the pool runs this; none may hang on a server that has just frozen.
                with limited(WaitLimit(CONNECT_WAIT)):
                    await prepare(connection)
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

    async def _empty(self, unanswered: DeadlineConnection) -> None:
        if unanswered.opened_at <= self._emptied_at:
            return
        self._emptied_at = monotonic()
        _log.warning("the database did not answer in time; all connections to it are reopened")
        for pool in list(self._pools):
            # Connections in use are closed when they are returned.
            await pool.drain()

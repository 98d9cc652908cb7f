"""The statements of a request, counted on the wire from libpq's own trace.

So every statement is counted: each Query or Execute message is one, including BEGIN, COMMIT and SAVEPOINT.
"""

import tempfile
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from psycopg.pq import Trace

from tests.api.conftest import AppClient
from tonnage.db import Pool


@dataclass
class Wire:
    """The statements sent during the block; texts only of those that were not prepared before."""

    pools: tuple[Pool, ...]
    statements: list[str] = field(default_factory=list[str])

    @classmethod
    @asynccontextmanager
    async def traced(cls, client: AppClient) -> AsyncGenerator["Wire"]:
        database = client.app.state.services.database
        wire = cls((database.pool, database.streams))
        async with AsyncExitStack() as stack:
            sizes = [await wire.listen(pool, stack) for pool in wire.pools]
            yield wire
            assert [size_of(pool) for pool in wire.pools] == sizes, "there is a connection that nobody has listened to"

    async def listen(self, pool: Pool, stack: AsyncExitStack) -> int:
        """Attaches to all open connections, and to those that the pool has begun to open."""
        listened_to = 0
        async with AsyncExitStack() as taken:
            while listened_to < size_of(pool):
                listened_to += 1
                connection = await taken.enter_async_context(pool.connection())
                log = tempfile.TemporaryFile("r")  # noqa: SIM115  closed by the stack, last of all
                stack.callback(log.close)
                stack.callback(self.read, log)
                connection.pgconn.trace(log.fileno())
                connection.pgconn.set_trace_flags(Trace.SUPPRESS_TIMESTAMPS)
                stack.callback(connection.pgconn.untrace)
        return listened_to

    def read(self, log: Any) -> None:
        log.seek(0)
        messages = [line.split("\t") for line in log if line.startswith("F")]
        self.statements += [" ".join(message[3:]) for message in messages if message[2] in {"Query", "Execute"}]


def size_of(pool: Pool) -> int:
    return pool.get_stats()["pool_size"]

"""The product's SQL: the statements and their number on the wire."""

import tempfile
from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
import psycopg
from psycopg.adapt import Dumper
from psycopg.pq import Trace

from bench.load import Request
from tests.clocks import clocks
from tonnage.asgi import create_app
from tonnage.db import Connection, Database

_REPEATED = 20


@dataclass(frozen=True)
class Statements:
    """The statements of one request. `count`: on the wire, with a cached key. `texts`: the SQL with literals."""

    count: float
    key_look_up: str
    texts: list[str]


async def statements_of(url: str, request: Request) -> Statements:
    """Runs the product in this process, without a server. Its clock stands still, so the key stays cached."""
    now = datetime.now(UTC)
    app = create_app(url, **clocks(lambda: now))
    async with app.router.lifespan_context(app):
        database: Database = app.state.services.database
        await database.pool.wait()  # else the pool would be empty at the first request, and grow
        await database.streams.wait()
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://bench") as http:
            async with _recording(database) as recorded:
                await _ask(http, request)
            with psycopg.connect(url) as conn:
                key_look_up, *texts = [f"{_literal(conn, *statement)};\n" for statement in recorded]
            for _ in range(10):  # often enough that the driver has prepared the statement
                await _ask(http, request)
            async with _all(database) as held:
                connections = list(held)
            with _wire(connections) as messages:
                for _ in range(_REPEATED):
                    await _ask(http, request)
    return Statements(len(messages) / _REPEATED, key_look_up, texts)


async def _ask(http: httpx.AsyncClient, request: Request) -> None:
    headers = {"Authorization": f"Bearer {request.key}", "Content-Type": "application/json"}
    method = "POST" if request.body else "GET"
    (await http.request(method, request.path, headers=headers, content=request.body)).raise_for_status()


@asynccontextmanager
async def _recording(database: Database) -> AsyncGenerator[list[tuple[Any, Any]]]:
    recorded: list[tuple[Any, Any]] = []

    class Recording(psycopg.AsyncCursor[Any]):
        async def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
            recorded.append((query, params))
            return await super().execute(query, params, **options)

    async with _all(database) as held:
        connections = list(held)
    for conn in connections:
        conn.cursor_factory = Recording
    yield recorded
    for conn in connections:
        conn.cursor_factory = psycopg.AsyncCursor


@asynccontextmanager
async def _all(database: Database) -> AsyncGenerator[list[Connection]]:
    """All open connections; requests in sequence open no more."""
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(pool.connection())
            for pool in (database.pool, database.streams)
            for _ in range(pool.get_stats()["pool_size"])
        ]


@contextmanager
def _wire(connections: Sequence[Connection]) -> Generator[list[str]]:
    """The messages that start a statement, as libpq's trace writes them. BEGIN and COMMIT would be counted too."""
    messages: list[str] = []
    with tempfile.TemporaryFile("r") as log:
        for connection in connections:
            connection.pgconn.trace(log.fileno())
            connection.pgconn.set_trace_flags(Trace.SUPPRESS_TIMESTAMPS)
        yield messages
        for connection in connections:
            connection.pgconn.untrace()
        log.seek(0)
        lines = (line.split("\t") for line in log if line.startswith("F"))
        messages += [line[2] for line in lines if line[2] in {"Query", "Execute"}]


class _WithoutColons(Dumper):
    """pgbench would take a colon before a digit for a variable; timestamps can be written without one."""

    oid = psycopg.postgres.types["timestamptz"].oid

    def dump(self, obj: datetime) -> bytes:
        return f"{obj:%Y%m%dT%H%M%SZ}".encode()


def _literal(conn: psycopg.Connection[Any], query: Any, params: Any) -> str:
    cursor = psycopg.ClientCursor(conn)
    cursor.adapters.register_dumper(datetime, _WithoutColons)
    return cursor.mogrify(query, params)

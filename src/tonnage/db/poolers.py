"""Refuses a connection pooler in transaction mode.

It gives each transaction of a client another session of the server. So the settings of a session, prepared statements
and notifications get lost or mixed up, and a statement may be answered with the result of another one.
"""

import secrets
from typing import Any

import psycopg
from psycopg import AsyncConnection
from psycopg.sql import SQL, Composed, Literal

POOLER = (
    "The database is reached through a connection pooler in transaction mode, which mixes up sessions. Set the URL of "
    "the PostgreSQL server itself, or of a pooler in session mode."
)

_ROUNDS = 5
_MARK = SQL("select current_setting('tonnage.session', true)")


class MixedSessions(psycopg.OperationalError):
    """What was found out about a connection: its session is not its own."""

    def __init__(self) -> None:
        super().__init__(POOLER)


def mark() -> tuple[str, Composed]:
    """A new mark for a session, and the statement that sets it."""
    token = secrets.token_hex(8)
    return token, SQL("; set tonnage.session to {}").format(Literal(token))


async def require_mark(connection: AsyncConnection[tuple[Any, ...]], expected: str | None) -> None:
    """Raises MixedSessions unless the session has the mark; None: none, since it must be new."""
    row = await (await connection.execute(_MARK)).fetchone()
    if row is None or (row[0] or None) != expected:
        raise MixedSessions


async def require_own_sessions(one: AsyncConnection[tuple[Any, ...]], other: AsyncConnection[tuple[Any, ...]]) -> None:
    """Raises MixedSessions unless two open connections lead to two processes of the server, always the same ones."""
    processes: tuple[set[int], set[int]] = set(), set()
    for _ in range(_ROUNDS):
        for connection, found in zip((one, other), processes, strict=True):
            row = await (await connection.execute("select pg_backend_pid()")).fetchone()
            found.add(row[0] if row else 0)
    if len(processes[0] | processes[1]) != 2 or processes[0] & processes[1]:
        raise MixedSessions

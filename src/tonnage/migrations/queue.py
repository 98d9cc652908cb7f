"""The job queue's own tables: procrastinate brings their SQL, and we record how much of it a database has.

A new database gets the whole schema of the installed version; an older one the steps that came since. So an upgrade of
procrastinate needs no revision of ours.
"""

from pathlib import Path

import psycopg
from procrastinate.schema import SchemaManager


def _steps() -> list[Path]:
    return sorted(Path(SchemaManager.get_migrations_path()).glob("*.sql"))


def upgrade(connection: "psycopg.Connection[tuple[object, ...]]") -> None:
    """Runs what is missing, in the caller's transaction."""
    connection.execute("create table if not exists queue_step (name text primary key)")
    done = {str(name) for (name,) in connection.execute("select name from queue_step")}
    if not done:
        connection.execute(SchemaManager.get_schema().encode())
    for step in _steps():
        if step.name in done:
            continue
        if done:
            connection.execute(step.read_bytes())
        connection.execute("insert into queue_step values (%s)", [step.name])


async def is_behind(connection: "psycopg.AsyncConnection[tuple[object, ...]]") -> bool:
    """Whether the installed procrastinate has steps that this database lacks."""
    cursor = await connection.execute("select name from queue_step")
    done = {str(name) for (name,) in await cursor.fetchall()}
    return any(step.name not in done for step in _steps())

"""The job queue's own tables, a separate step: procrastinate supplies their SQL, the database records what it has.

A new database gets the whole schema of the installed version, an older one the migrations that it lacks. So an upgrade
of procrastinate needs no revision of ours.
"""

from importlib.metadata import version
from pathlib import Path

import psycopg
from procrastinate.schema import SchemaManager


def _steps() -> list[Path]:
    return sorted(Path(SchemaManager.get_migrations_path()).glob("*.sql"))


def upgrade(connection: "psycopg.Connection[tuple[object, ...]]") -> int:
    """Applies missing migrations in the caller's transaction and records them. Returns their number."""
    done = {str(name) for (name,) in connection.execute("select name from queue_migration")}
    missing = [step for step in _steps() if step.name not in done]
    if not done:
        connection.execute(SchemaManager.get_schema().encode())
    for step in missing:
        if done:
            connection.execute(step.read_bytes())
        connection.execute(
            "insert into queue_migration (name, library_version) values (%s, %s)",
            [step.name, version("procrastinate")],
        )
    return len(missing)


async def is_behind(connection: "psycopg.AsyncConnection[tuple[object, ...]]") -> bool:
    """Whether the installed procrastinate has migrations that this database lacks."""
    cursor = await connection.execute("select name from queue_migration")
    done = {str(name) for (name,) in await cursor.fetchall()}
    return any(step.name not in done for step in _steps())

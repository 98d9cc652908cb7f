"""The schema and its versions: forward only, one transaction, safe with any number of processes starting at once."""

from dataclasses import dataclass
from pathlib import Path

import psycopg

from tonnage.migrations import queue


class SchemaError(Exception):
    """The schema and this program do not fit. The sentence says what to do."""


@dataclass(frozen=True)
class SchemaState:
    """The revision of a database and of this program, `None` for an empty database."""

    database: str | None
    program: str
    oldest_program: str
    """The oldest program, by its newest revision, that may still run on this database."""
    queue_behind: bool
    """The job queue's own schema lacks something that the installed queue needs."""

    def problem(self) -> str | None:
        """Why this program must not run on this database, or None. A database ahead of it is fine until it says no."""
        if self.database is None or self.database < self.program or self.queue_behind:
            return (
                f"The database is at revision {self.database or 'none'} and this program needs {self.program}. "
                "Run `tonnage migrate`."
            )
        if self.program < self.oldest_program:
            return (
                f"The database is at revision {self.database}, which needs a program of revision "
                f"{self.oldest_program} or newer; this one is of {self.program}. Upgrade Tonnage."
            )
        return None


@dataclass(frozen=True)
class Upgraded:
    """What an upgrade found and made, both read under its lock."""

    before: str | None
    after: str
    queue_steps: int
    """How many steps the job queue's own schema took."""


def program_revision() -> str:
    """The newest revision that this program knows. Read from the names of the files, which does not load Alembic."""
    revisions = [path.name.split("_")[0] for path in (Path(__file__).parent / "versions").glob("[0-9]*.py")]
    if not revisions:
        raise SchemaError("This installation has no revisions; install Tonnage again.")
    return max(revisions)


def upgrade(conninfo: str, *, lock_timeout: int = 60) -> Upgraded:
    """Brings the database to this program's revision, all or nothing.

    One process migrates, others wait `lock_timeout` seconds for it and then find nothing to do. A revision that cannot
    get its locks within that time gives up (`SchemaError`) rather than queue every request behind itself.
    """
    # Loading Alembic takes a second, and every command looks at the state of the schema but few change it.
    from tonnage.migrations.runner import run  # noqa: PLC0415

    try:
        return run(conninfo, lock_timeout)
    except psycopg.errors.LockNotAvailable as error:
        raise SchemaError(
            f"Another process has held the database's locks for {lock_timeout} s; nothing was changed. "
            "Try again when it is done."
        ) from error


async def state(connection: "psycopg.AsyncConnection[tuple[object, ...]]") -> SchemaState:
    """Compares the database with this program; reads only."""
    program = program_revision()
    cursor = await connection.execute("select to_regclass('alembic_version') is not null")
    row = await cursor.fetchone()
    if row is None or not row[0]:
        return SchemaState(None, program, program, queue_behind=True)
    cursor = await connection.execute(
        "select (select version_num from alembic_version), (select revision from oldest_program)"
    )
    row = await cursor.fetchone() or (None, None)
    database = None if row[0] is None else str(row[0])
    return SchemaState(database, program, str(row[1] or program), queue_behind=await queue.is_behind(connection))

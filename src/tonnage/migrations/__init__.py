"""The schema and its versions: forward only, one transaction, safe with any number of processes starting at once."""

from dataclasses import dataclass
from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from tonnage.migrations import queue

_LOCK = 0x746F6E6E616765  # "tonnage", as the number of an advisory lock


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


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    return config


def program_revision() -> str:
    """The newest revision that this program knows."""
    head = _scripts().get_current_head()
    if head is None:
        raise SchemaError("This installation has no revisions; install Tonnage again.")
    return head


def upgrade(conninfo: str, *, lock_timeout: int = 60) -> None:
    """Brings the database to this program's revision, all or nothing.

    One process migrates, others wait `lock_timeout` seconds for it and then find nothing to do. A revision that cannot
    get its locks within that time gives up (`SchemaError`) rather than queue every request behind itself.
    """
    engine = create_engine(
        "postgresql+psycopg://", creator=lambda: psycopg.connect(conninfo), poolclass=NullPool, future=True
    )
    config = _config()
    try:
        with engine.begin() as connection:
            raw = connection.connection.dbapi_connection
            assert isinstance(raw, psycopg.Connection)  # noqa: S101  for the type checker: the engine's driver is psycopg
            raw.execute("select set_config('lock_timeout', %s, true)", [f"{lock_timeout}s"])
            raw.execute("select pg_advisory_xact_lock(%s)", [_LOCK])
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            _record_oldest_program(raw)
            queue.upgrade(raw)
    except psycopg.errors.LockNotAvailable as error:
        raise SchemaError(
            f"Another process has held the database's locks for {lock_timeout} s; nothing was changed. "
            "Try again when it is done."
        ) from error
    finally:
        engine.dispose()


def _record_oldest_program(connection: "psycopg.Connection[tuple[object, ...]]") -> None:
    """The database carries the requirement itself, since an older program does not have the newer revision's file."""
    script = _scripts().get_revision(program_revision())
    oldest: str = script.module.OLDEST_PROGRAM
    connection.execute("create table if not exists oldest_program (revision text not null)")
    connection.execute("delete from oldest_program")
    connection.execute("insert into oldest_program values (%s)", [oldest])


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

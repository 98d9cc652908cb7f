"""Alembic, running the revisions and the job queue's own steps in one transaction."""

from pathlib import Path
from typing import Any

import psycopg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from tonnage.migrations import Upgraded, queue

_LOCK = 0x746F6E6E616765  # "tonnage", as the number of an advisory lock


def run(conninfo: str, lock_timeout: int) -> Upgraded:
    """Brings the database to the newest revision. Raises psycopg's LockNotAvailable after `lock_timeout` seconds."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(conninfo), poolclass=NullPool)
    try:
        with engine.begin() as connection:
            raw = connection.connection.dbapi_connection
            assert isinstance(raw, psycopg.Connection)  # noqa: S101  for the type checker: the engine's driver is psycopg
            raw.execute("select set_config('lock_timeout', %s, true)", [f"{lock_timeout}s"])
            raw.execute("select pg_advisory_xact_lock(%s)", [_LOCK])
            before, steps_before = _look(raw)
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            newest = ScriptDirectory.from_config(config).get_revision("head")
            # The database carries this itself, since an older program does not have the newer revision's file.
            raw.execute("create table if not exists oldest_program (revision text not null)")
            raw.execute("delete from oldest_program")
            raw.execute("insert into oldest_program values (%s)", [newest.module.OLDEST_PROGRAM])
            queue.upgrade(raw)
            after, steps_after = _look(raw)
            return Upgraded(before, after or newest.revision, steps_after - steps_before)
    finally:
        engine.dispose()


def _look(raw: psycopg.Connection[Any]) -> tuple[str | None, int]:
    row = raw.execute("select to_regclass('alembic_version') is not null").fetchone()
    if row is None or not row[0]:
        return None, 0
    row = raw.execute("select (select version_num from alembic_version), (select count(*) from queue_step)").fetchone()
    return row or (None, 0)

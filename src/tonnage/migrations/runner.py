"""Runs the revisions with Alembic, and the job queue's own migrations, in one transaction."""

import os
from pathlib import Path
from typing import Any

import psycopg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from tonnage.migrations import HAS_RECORDS, RECORDS, UNRELEASED, SchemaError, Upgraded, program_revision, queue
from tonnage.migrations.revisions import Revisions

_LOCK = 0x746F6E6E616765  # "tonnage", as the number of an advisory lock


def run(conninfo: str, lock_timeout: int, revisions: Revisions) -> Upgraded:
    """Upgrades the database to the newest revision. Raises psycopg's LockNotAvailable after `lock_timeout` seconds."""
    newest = program_revision(revisions)
    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(conninfo), poolclass=NullPool)
    try:
        with engine.begin() as connection:
            raw = connection.connection.dbapi_connection
            assert isinstance(raw, psycopg.Connection)  # noqa: S101  for the type checker: the engine's driver is psycopg
            raw.execute("select set_config('lock_timeout', %s, true)", [f"{lock_timeout}s"])
            raw.execute("select pg_advisory_xact_lock(%s)", [_LOCK])
            before = _revision(raw)
            if before is None or before < newest:
                _run_revisions(connection, raw, revisions)
            return Upgraded(before, _revision(raw) or newest, queue.upgrade(raw))
    except DBAPIError as error:
        # From a revision that uses Alembic's operations: callers expect psycopg's errors, as from one that runs SQL
        # files.
        raise error.orig or error from error
    finally:
        engine.dispose()


def _run_revisions(connection: Connection, raw: psycopg.Connection[Any], revisions: Revisions) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.set_main_option("path_separator", "os")
    config.set_main_option("version_locations", os.pathsep.join(map(str, revisions.folders)))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    # Each revision states its own minimum program: the strictest one counts, also when several are run at once.
    scripts = ScriptDirectory.from_config(config).walk_revisions()
    oldest = max(script.module.OLDEST_PROGRAM for script in scripts)
    raw.execute("delete from schema_compatibility")
    raw.execute("insert into schema_compatibility (oldest_program) values (%s)", [oldest])


def _revision(raw: psycopg.Connection[Any]) -> str | None:
    has_version, is_ours = raw.execute(HAS_RECORDS).fetchone() or (False, False)
    if not has_version:
        return None
    if not is_ours:
        raise SchemaError(UNRELEASED)
    revision, _ = raw.execute(RECORDS).fetchone() or (None, None)
    return revision

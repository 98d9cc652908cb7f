"""Runs the revisions with Alembic, the job queue's own migrations and the grants, in one transaction."""

import os
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import psycopg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from psycopg.errors import DeadlockDetected, LockNotAvailable
from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from tonnage.migrations import (
    HAS_RECORDS,
    RECORDS,
    UNRELEASED,
    SchemaError,
    Upgraded,
    grants,
    program_revision,
    queue,
)
from tonnage.migrations.revisions import Revisions

_LOCK = 0x746F6E6E616765  # "tonnage", as the number of an advisory lock

_SESSION = "set local timezone to 'UTC'; set local datestyle to 'ISO, YMD'; set local intervalstyle to 'postgres'"
"""Days are those of UTC in every time zone of the server, the role or the URL: revisions compute them again."""

_LOCK_WAIT = 1.0
"""Seconds that a revision waits for a lock at a time: every later statement on the same table waits behind it."""

_PAUSE = 1.0
"""Seconds between two attempts, for what has waited behind the last one."""


def run(conninfo: str, program_role: str | None, lock_timeout: int, revisions: Revisions) -> Upgraded:
    """Upgrades the database to the newest revision. Raises psycopg's LockNotAvailable after `lock_timeout` seconds."""
    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(conninfo), poolclass=NullPool)
    deadline = monotonic() + lock_timeout
    try:
        while True:
            try:
                return _attempt(engine, program_role, revisions, deadline)
            except (LockNotAvailable, DeadlockDetected):
                if monotonic() + _PAUSE > deadline:
                    raise
            sleep(_PAUSE)
    finally:
        engine.dispose()


def _attempt(engine: Engine, program_role: str | None, revisions: Revisions, deadline: float) -> Upgraded:
    newest = program_revision(revisions)
    try:
        with engine.begin() as connection:
            raw = connection.connection.dbapi_connection
            assert isinstance(raw, psycopg.Connection)  # noqa: S101  for the type checker: the engine's driver is psycopg
            raw.execute(_SESSION)
            # Only other migrations wait for this lock, and for as long as it takes.
            _wait_for_locks(raw, deadline - monotonic())
            raw.execute("select pg_advisory_xact_lock(%s)", [_LOCK])
            _wait_for_locks(raw, min(_LOCK_WAIT, deadline - monotonic()))
            before = _revision(raw)
            if before is None or before < newest:
                _run_revisions(connection, raw, revisions)
            queue_steps = queue.upgrade(raw)
            granted = grants.grant(raw, program_role) if program_role else 0
            return Upgraded(before, _revision(raw) or newest, queue_steps, granted)
    except DBAPIError as error:
        # From a revision that uses Alembic's operations: callers expect psycopg's errors, as from one that runs SQL
        # files.
        raise error.orig or error from error


def _wait_for_locks(raw: psycopg.Connection[Any], seconds: float) -> None:
    # 0 would be no limit.
    raw.execute("select set_config('lock_timeout', %s, true)", [f"{max(1, round(1000 * seconds))}ms"])


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

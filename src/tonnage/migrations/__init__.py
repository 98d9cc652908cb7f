"""The schema and its versions: forward only, one transaction, safe with any number of processes starting at once."""

from dataclasses import dataclass
from typing import LiteralString

import psycopg

from tonnage.migrations import queue
from tonnage.migrations.revisions import PROGRAM, Revisions

HAS_RECORDS: LiteralString = (
    "select to_regclass('alembic_version') is not null, to_regclass('schema_compatibility') is not null"
)
"""Whether a database has a version, and whether it is one of ours."""

RECORDS: LiteralString = (
    "select (select version_num from alembic_version), (select oldest_program from schema_compatibility)"
)
"""The version, and the oldest program that may run on it."""

UNRELEASED = (
    "The database was created by an unreleased version of Tonnage or by another program and cannot be "
    "upgraded. Create a new database for Tonnage. For the embedded one, delete the data directory "
    "(data/demo after `make demo`) and start again."
)


class SchemaError(Exception):
    """The schema and this program are incompatible. The message says what to do."""


@dataclass(frozen=True)
class SchemaState:
    """The revisions of a database and of this program, `None` for an empty database."""

    database: str | None
    program: str
    oldest_program: str
    """The oldest program, by its newest revision, that may still run on this database."""
    queue_behind: bool
    """The job queue's own schema lacks something that the installed queue needs."""
    unreleased: bool = False
    """The database has a version that no release has created."""
    without_rights: str | None = None
    """The role that this program logs in as, if it may not read the tables."""

    def problem(self) -> str | None:
        """Why this program must not run on this database, or None. A newer database is accepted until its minimum
        program is newer than this one.
        """
        if self.unreleased:
            return UNRELEASED
        if self.without_rights is not None:
            return (
                f"The role {self.without_rights} has no rights on the tables of Tonnage. Set "
                "TONNAGE_MIGRATION_DATABASE_URL to the URL of the role that owns them, and run `tonnage migrate`."
            )
        if self.database is None or self.database < self.program:
            return (
                f"The database is at revision {self.database or 'none'}, but this program needs "
                f"{self.program}. Run `tonnage migrate`."
            )
        if self.program < self.oldest_program:
            return (
                f"The database is at revision {self.database}, which needs a program of revision "
                f"{self.oldest_program} or newer, but this one has revision {self.program}. Upgrade "
                "Tonnage."
            )
        if self.queue_behind:
            return "The database lacks job queue migrations that this program needs. Run `tonnage migrate`."
        return None


@dataclass(frozen=True)
class Upgraded:
    """The result of an upgrade: what it found and what it made, both read under its lock."""

    before: str | None
    after: str
    queue_steps: int
    """How many migrations of the job queue's library were applied or, for a new database, recorded."""
    grants: int = 0
    """On how many tables, sequences and functions the rights of the program's role differed."""


def program_revision(revisions: Revisions = PROGRAM) -> str:
    """The newest revision that this program contains."""
    newest = revisions.newest()
    if newest is None:
        raise SchemaError("This installation has no schema revisions. Reinstall Tonnage.")
    return newest


def upgrade(
    conninfo: str, *, program_role: str | None = None, lock_timeout: int = 60, revisions: Revisions = PROGRAM
) -> Upgraded:
    """Upgrades the database to this program's revision, all or nothing. Does not change a newer database.

    `conninfo` is that of the owner of the tables. `program_role` gets the rights that the program needs.

    One process migrates; others wait `lock_timeout` seconds for it and then find nothing to do. A revision waits a
    second for a lock, so that requests do not queue up behind it, then is rolled back and tried again; without success
    within `lock_timeout` it gives up (`SchemaError`).
    """
    # Loading Alembic takes a second. Every command checks the state of the schema but few change it.
    from tonnage.migrations.runner import run  # noqa: PLC0415

    try:
        return run(conninfo, program_role, lock_timeout, revisions)
    except psycopg.errors.InsufficientPrivilege as error:
        raise SchemaError(
            f"The role may not do what a migration does ({error.diag.message_primary}). Nothing was changed. Set "
            "TONNAGE_MIGRATION_DATABASE_URL to the URL of the role that owns the tables."
        ) from error
    except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected) as error:
        raise SchemaError(
            f"Another process has locked the database for {lock_timeout} s. Nothing was changed. Try again "
            "when it is done."
        ) from error


async def state(
    connection: "psycopg.AsyncConnection[tuple[object, ...]]", revisions: Revisions = PROGRAM
) -> SchemaState:
    """Compares the database with this program; reads only."""
    program = program_revision(revisions)
    has_version, is_ours = await (await connection.execute(HAS_RECORDS)).fetchone() or (False, False)
    if not has_version:
        return SchemaState(None, program, program, queue_behind=True)
    if not is_ours:
        return SchemaState(None, program, program, queue_behind=True, unreleased=True)
    try:
        database, oldest = await (await connection.execute(RECORDS)).fetchone() or (None, None)
    except psycopg.errors.InsufficientPrivilege:
        return SchemaState(None, program, program, queue_behind=True, without_rights=connection.info.user)
    return SchemaState(
        None if database is None else str(database),
        program,
        str(oldest or program),
        queue_behind=await queue.is_behind(connection),
    )

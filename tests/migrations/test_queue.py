"""The job queue's own schema follows its library, without a revision of ours."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from importlib.metadata import version
from pathlib import Path

import psycopg
import pytest
from procrastinate.schema import SchemaManager

from tests.cli.command import Command
from tests.roles import as_owner
from tests.schema import statements
from tonnage import migrations

pytestmark = pytest.mark.oldest_postgresql

Databases = Callable[[], AbstractContextManager[str]]

STEPS = sorted(Path(SchemaManager.get_migrations_path()).glob("*.sql"))
MISSING = 4
"""Migrations that the older library did not have."""


def make_older(conninfo: str) -> None:
    """Recreates the schema of an older version of the library."""
    # Each in a transaction of its own: a value that is added to an enum is usable only after the commit.
    with psycopg.connect(as_owner(conninfo), autocommit=True) as conn:
        for kind, name in conn.execute(
            """
            select case when p.prokind = 'f' then 'function' else 'procedure' end, p.oid::regprocedure::text
            from pg_proc p where p.proname like 'procrastinate%'
            union all
            select case when c.relkind = 'S' then 'sequence' else 'table' end, c.relname
            from pg_class c where c.relkind = 'r' and c.relname like 'procrastinate%'
            """
        ).fetchall():
            conn.execute(f"drop {kind} if exists {name} cascade".encode())
        for (name,) in conn.execute(
            "select t.typname from pg_type t where t.typname like 'procrastinate%' and t.typtype in ('e', 'c')"
        ).fetchall():
            conn.execute(f"drop type if exists {name} cascade".encode())
        for step in STEPS[:-MISSING]:
            conn.execute(step.read_bytes())
        conn.execute("delete from queue_migration where name = any(%s)", [[step.name for step in STEPS[-MISSING:]]])
        conn.execute("update queue_migration set library_version = '3.0.0'")


def shape(conninfo: str) -> list[tuple[str, list[str]]]:
    """The schema of a database, independent of the order of columns: added columns are the last ones."""
    return sorted(
        (name, sorted(line.strip(",") for line in text.splitlines())) for name, text in statements(as_owner(conninfo))
    )


def test_only_missing_migrations_are_applied(new_database: Databases) -> None:
    with new_database() as conninfo:
        tonnage = Command(conninfo)
        whole = shape(conninfo)
        make_older(conninfo)
        assert shape(conninfo) != whole
        lacking = "lacks job queue migrations that this program needs. Run `tonnage migrate`."
        assert lacking in tonnage.refused("account", "list")
        assert lacking in tonnage("doctor").stdout
        migrated = tonnage.ok("migrate", "--migration-database-url", as_owner(conninfo)).splitlines()
        assert migrated[0] == f"Job queue upgraded. The database is at revision {migrations.program_revision()}."
        assert migrated[1].startswith("The role that the program logs in as has got its rights (")
        assert tonnage.json("account", "list") == []
        assert shape(conninfo) == whole
        with psycopg.connect(conninfo) as conn:
            recorded = conn.execute("select name, library_version from queue_migration order by name").fetchall()
        versions = ["3.0.0"] * (len(STEPS) - MISSING) + [version("procrastinate")] * MISSING
        assert recorded == list(zip([step.name for step in STEPS], versions, strict=True))
        assert tonnage.ok("migrate").startswith("The database is already at revision ")


def test_a_new_database_records_all_of_it(new_database: Databases) -> None:
    with new_database() as conninfo, psycopg.connect(conninfo) as conn:
        recorded = conn.execute("select name, library_version from queue_migration order by name").fetchall()
    assert recorded == [(step.name, version("procrastinate")) for step in STEPS]

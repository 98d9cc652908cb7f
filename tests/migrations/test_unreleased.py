"""Databases of checkouts from before the first release, whose schema is not upgraded."""

from pathlib import Path

import psycopg
import pytest

from tests.cli.command import Command
from tests.cli.running import tonnage
from tonnage import embedded, migrations

SENTENCE = (
    "The database was created by an unreleased version of Tonnage or by another program and cannot be "
    "upgraded. Create a new database for Tonnage. For the embedded one, delete the data directory "
    "(data/demo after `make demo`) and start again."
)


def create_unreleased_schema(conninfo: str, revision: str) -> None:
    """Creates the tables in which those checkouts recorded their schema."""
    with psycopg.connect(conninfo) as conn:
        conn.execute("create table alembic_version (version_num varchar(32) primary key)")
        conn.execute("insert into alembic_version values (%s)", [revision])
        conn.execute("create table oldest_program (revision text not null)")
        conn.execute("insert into oldest_program values ('0001')")
        conn.execute("create table queue_step (name text primary key)")
        conn.execute("create table organisation (id uuid primary key)")


def tables(conninfo: str) -> list[str]:
    with psycopg.connect(conninfo) as conn:
        found = conn.execute(
            "select relname from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace"
        )
        return sorted(name for (name,) in found)


@pytest.mark.oldest_postgresql
@pytest.mark.parametrize("revision", ["0001", "0002", "0003"])
def test_every_command_says_so_and_changes_nothing(empty_database: str, tmp_path: Path, revision: str) -> None:
    create_unreleased_schema(empty_database, revision)
    before = tables(empty_database)
    command = Command(empty_database)
    data = ("--data-dir", str(tmp_path))
    for arguments in (
        ("migrate",),
        ("serve", "--port", "0", *data),
        ("worker",),
        ("account", "list"),
        ("jobs", "list"),
    ):
        assert command.refused(*arguments) == f"Error: {SENTENCE}\n"
    examined = command("doctor")
    assert (examined.exit_code, examined.stdout.splitlines()[-1]) == (1, f"FAIL schema: {SENTENCE}")
    with pytest.raises(migrations.SchemaError, match="unreleased"):
        migrations.upgrade(empty_database)
    assert tables(empty_database) == before


def test_on_a_data_directory_they_say_so_too(tmp_path: Path) -> None:
    data = tmp_path / "demo"
    with embedded.serve(data, durable=False) as (_, url):
        create_unreleased_schema(url, "0003")
    for arguments in (("serve", "--demo", "--port", "0"), ("migrate",), ("partner", "list")):
        refused = tonnage(*arguments, "--data-dir", data)
        assert (refused.exit_code, refused.stdout, refused.stderr) == (1, "", f"Error: {SENTENCE}\n")

import subprocess
import sys

import psycopg
import pytest

from tests.cli.running import environment, tonnage
from tonnage.migrations import program_revision

pytestmark = pytest.mark.oldest_postgresql


def test_several_at_once_on_an_empty_database(empty_database: str) -> None:
    command = [sys.executable, "-m", "tonnage", "migrate", "--database-url", empty_database]
    started = [
        subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    said = [process.communicate(timeout=90) for process in started]
    assert [process.returncode for process in started] == [0, 0, 0], said
    went = f"Database upgraded from revision none to {program_revision()}.\n"
    already = f"The database is already at revision {program_revision()}.\n"
    assert sorted(out for out, _ in said) == [went, already, already]
    again = tonnage("migrate", "--database-url", empty_database)
    assert (again.exit_code, again.output) == (0, already)


def test_one_that_waits_too_long_changes_nothing_and_says_so(empty_database: str) -> None:
    with psycopg.connect(empty_database) as other:
        other.execute("select pg_advisory_lock(%s)", [0x746F6E6E616765])
        result = tonnage("migrate", "--lock-timeout", "1", "--database-url", empty_database)
    assert result.exit_code == 1
    assert result.stderr == (
        "Error: Another process has locked the database for 1 s. Nothing was changed. Try again when it is done.\n"
    )
    with psycopg.connect(empty_database) as conn:
        assert conn.execute("select to_regclass('organisation')").fetchone() == (None,)

"""schema.sql, and the declarations in the files of SQL."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from tests import schema
from tests.migrations.table_writers import table_writers
from tonnage.migrations.rules import SCHEMA

Databases = Callable[[], AbstractContextManager[str]]


@pytest.mark.oldest_postgresql
def test_the_file_is_what_the_revisions_make_on_every_version(new_database: Databases) -> None:
    with new_database() as conninfo:
        assert schema.dumped(conninfo) == SCHEMA.read_text("utf-8"), "run: make schema"


def test_every_table_has_one_owner() -> None:
    text = SCHEMA.read_text("utf-8")
    created = [line.split()[2] for line in text.splitlines() if line.startswith("CREATE TABLE ")]
    writers = table_writers()
    assert sorted(writers) == created
    owners = {owner for owner, *_ in writers.values()}
    others = {other for _, *also in writers.values() for other in also}
    # Locks are columns of members and organisations, caps of overdraft those of accounts and partners; blocks and
    # sessions are what sign-ins have left; credit notes are statements.
    assert others - owners == {"blocks", "credit_notes", "locks", "overdraft_caps", "sessions"}

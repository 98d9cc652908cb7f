"""The two roles of the tests' databases: the program's, which most tests use, and the owner of the tables."""

import psycopg
from psycopg.conninfo import make_conninfo

from tonnage import migrations
from tonnage.db import Database
from tonnage.embedded.address import OWNER, PROGRAM
from tonnage.migrations import Upgraded
from tonnage.migrations.revisions import PROGRAM as REVISIONS
from tonnage.migrations.revisions import Revisions


def as_owner(conninfo: str) -> str:
    """The same database by the role that may do anything: for tests that break what the program cannot."""
    return make_conninfo(conninfo, user=OWNER)


def url_of(database: Database) -> str:
    """The URL that the program uses."""
    conninfo = database.pool.conninfo
    assert isinstance(conninfo, str)
    return conninfo


def run_as_owner(conninfo: str, *statements: str) -> None:
    """Runs statements that the program's role is refused, each in a transaction of its own."""
    with psycopg.connect(as_owner(conninfo), autocommit=True) as conn:
        for statement in statements:
            conn.execute(statement.encode())


def upgrade(conninfo: str, *, lock_timeout: int = 60, revisions: Revisions = REVISIONS) -> Upgraded:
    """`migrations.upgrade` of a database, whose URL is the program's, by its owner."""
    return migrations.upgrade(as_owner(conninfo), program_role=PROGRAM, lock_timeout=lock_timeout, revisions=revisions)

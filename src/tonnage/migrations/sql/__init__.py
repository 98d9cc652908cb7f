"""Revisions are written as SQL: a folder per revision, a file per package.

A file is named for the package that owns the tables in it. What another package writes to a table stands in a comment
right above its `create table`, beginning with `Also written by:`.
"""

from importlib.resources import files
from typing import Any

import psycopg
from alembic import op


def run_files(revision: str, *names: str) -> None:
    """Runs `sql/REVISION/NAME.sql` for each name, in the transaction of the migration.

    Through psycopg itself: SQLAlchemy would read `:name` and `%` in the text as parameters.
    """
    connection = driver_connection()
    for name in names:
        text = files(__name__).joinpath(revision, f"{name}.sql").read_text()
        connection.execute(text.encode())


def driver_connection() -> "psycopg.Connection[Any]":
    """The connection of the migration's transaction."""
    connection: object = op.get_bind().connection.dbapi_connection
    if not isinstance(connection, psycopg.Connection):
        raise TypeError("migrations run on a psycopg connection")
    return connection

"""Which constraints and indexes a database must have: read from the SQL of the revisions, so that no list falls behind.

It reads the way that these files are written: a column or a constraint per line. A test compares it with a database.
"""

import re
from collections.abc import Iterator
from pathlib import Path

_UNREAD = re.compile(r"--[^\n]*|\$\$.*?\$\$", re.DOTALL)
"""Comments, and the bodies of functions: what those make, they make later."""

_TABLE = re.compile(r"(?:create|alter) table (\w+)")
_INDEX = re.compile(r"create (?:unique )?index (\w+)")
_CONSTRAINT = re.compile(r"\bconstraint (\w+)( unique| primary key)?")
_DROPPED = re.compile(r"drop (?:constraint|index) (\w+)")
_COLUMN = re.compile(r" +(\w+) ")


def expected_rules() -> frozenset[str]:
    """The names of all constraints (as `table.name`) and indexes of this program's revision.

    Not the job queue's, and not those of partitions, which are made as their table's are.
    """
    found: set[str] = set()
    for file in sorted((Path(__file__).parent / "sql").glob("[0-9]*/*.sql")):
        table = ""
        for line in _UNREAD.sub("", file.read_text("utf-8")).splitlines():
            opened = _TABLE.match(line)
            table = opened[1] if opened else table
            if dropped := _DROPPED.search(line):
                found -= {dropped[1], f"{table}.{dropped[1]}"}
            else:
                found.update(_of_line(table, line))
    return frozenset(found)


def _of_line(table: str, line: str) -> Iterator[str]:
    if index := _INDEX.match(line):
        yield index[1]
    elif named := _CONSTRAINT.search(line):
        yield f"{table}.{named[1]}"
        if named[2]:
            yield named[1]
    elif column := _COLUMN.match(line):
        # Named by PostgreSQL. The first two have an index of the same name.
        if "primary key" in line:
            yield from (f"{table}_pkey", f"{table}.{table}_pkey")
        if " unique" in line:
            yield from (f"{table}_{column[1]}_key", f"{table}.{table}_{column[1]}_key")
        if " references " in line:
            yield f"{table}.{table}_{column[1]}_fkey"

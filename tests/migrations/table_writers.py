"""The packages that write each table, as the files of SQL declare them."""

import re
from pathlib import Path

SQL = Path(__file__).parents[2] / "src/tonnage/migrations/sql"

_TABLE = re.compile(r"((?:^--.*\n)*)^create table (\w+)", re.MULTILINE)
_ALSO = re.compile(r"Also written by: (.*?)\.$", re.DOTALL | re.MULTILINE)
_NO_LONGER = re.compile(r"^-- No longer written by (\w+): (\w+)\.$", re.MULTILINE)
_NOW_ALSO = re.compile(r"^-- Now also written by (\w+): (\w+)\.$", re.MULTILINE)
_ASIDE = re.compile(r"\([^)]*\)")


def table_writers() -> dict[str, tuple[str, ...]]:
    """For every table its owner, after which the file is named, then the other packages that write it."""
    found: dict[str, tuple[str, ...]] = {}
    for file in sorted(SQL.glob("[0-9]*/*.sql")):
        for comment, table in _TABLE.findall(file.read_text("utf-8")):
            assert table not in found, f"{table} is created twice"
            found[table] = (file.stem, *_others(comment))
        for writer, table in _NOW_ALSO.findall(file.read_text("utf-8")):
            found[table] = (*found[table], writer)
        for writer, table in _NO_LONGER.findall(file.read_text("utf-8")):
            found[table] = tuple(name for name in found[table] if name != writer)
    return found


def _others(comment: str) -> list[str]:
    declared = _ALSO.search(comment.replace("-- ", ""))
    return [] if declared is None else [name.strip() for name in _ASIDE.sub("", declared[1]).split(",")]

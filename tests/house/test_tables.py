"""A table is written by its owner and by the packages that its comment in the revisions names."""

import re
from collections.abc import Iterator

from tests.house.sql import Text, texts
from tests.house.tree import modules, show
from tests.migrations.table_writers import table_writers

_NAME = r'(?:only\s+)?(?:public\.)?"?(\w+|\{\})"?'
_WRITES = re.compile(
    rf"\binsert\s+into\s+{_NAME}"
    rf"|\bupdate\s+{_NAME}\s+(?:\*\s+)?(?:as\s+)?(?:(?!set\b)\w+\s+)?set\b"
    rf"|\bdelete\s+from\s+{_NAME}"
    rf"|\btruncate\s+(?:table\s+)?{_NAME}"
    rf"|\bmerge\s+into\s+{_NAME}"
    rf"|\bcopy\s+{_NAME}\s*(?:\([^)]*\)\s*)?from\b"
    r"|\bdrop_oldest_day\('(\w+)'",
    re.IGNORECASE,
)
_TEMPORARY = re.compile(r"\bcreate\s+temp(?:orary)?\s+table\s+(?:if\s+not\s+exists\s+)?(\w+)", re.IGNORECASE)
_QUEUE = re.compile(r"procrastinate_\w+")

OTHER_WRITERS = {
    "migrations": "revisions may write every table",
    "personal_data": "erases the texts about an organisation wherever they are, in one statement",
}


def test_tables_are_written_by_their_owners() -> None:
    """Parents may write their children's and children their parents' rows, where the table's comment permits it."""
    writers = table_writers()
    assert len(writers) > 20
    temporary = {name for text in texts() for name in _TEMPORARY.findall(text.text)}
    found: list[str] = []
    written: set[tuple[str, str]] = set()
    for text, table in _written():
        package = text.module.package
        if package in OTHER_WRITERS or table in temporary or (_QUEUE.fullmatch(table) and package == "jobs"):
            continue
        written.add((table, package))
        if table not in writers:
            found.append(f"{text.at}: writes {table}, which has no owner")
        elif package not in writers[table]:
            owner, *others = writers[table]
            named = f" and {', '.join(others)}" if others else ""
            found.append(f"{text.at}: writes {table}, which is written by {owner}{named} alone")
    for table, (owner, *others) in writers.items():
        # The audit log is written by its function, the migrations' own tables by migrations.
        found += [
            f"{table}: {name} is said to write it, and does not" for name in others if (table, name) not in written
        ]
        if owner not in {"access", "migrations"} and (table, owner) not in written:
            found.append(f"{table}: its owner {owner} does not write it")
    show(found)


def test_the_writers_of_tables_are_packages() -> None:
    known = {module.package for module in modules()}
    show(
        [
            f"{table}: {name} is no package"
            for table, names in table_writers().items()
            for name in names
            if name not in known
        ]
    )


def _written() -> Iterator[tuple[Text, str]]:
    for text in texts():
        for match in _WRITES.finditer(text.text):
            table = next(group for group in match.groups() if group)
            # In prose, such as "insert into the list", there is no statement around it.
            if text.is_statement or table in table_writers():
                yield text, table.lower()

"""Sizes and names. The walls between packages and files are in tests/house/."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.coined import NAMES, NAMES_AT, PATHS, WORDS
from tests.house.tree import show
from tests.source import FILES, OTHER_FILES, SOURCE, TEST_FILES, TESTS, nodes


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in nodes(path):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_no_file_is_long() -> None:
    assert len(FILES) > 100
    lengths = {path: len(path.read_text("utf-8").splitlines()) for path in FILES}
    show([f"{path.relative_to(SOURCE)}: has {length} lines" for path, length in lengths.items() if length > 300])


def test_no_function_is_long() -> None:
    show(
        [
            f"{path.relative_to(SOURCE)}:{function.lineno}: {function.name} has more than 40 lines"
            for path in FILES
            for function in functions(path)
            if (function.end_lineno or 0) - function.lineno >= 40
        ]
    )


def test_only_access_names_the_audit_table() -> None:
    naming = [
        path.relative_to(SOURCE)
        for path in SOURCE.rglob("*")
        if path.suffix in {".py", ".sql"} and re.search(r"\baudit_entry\b", path.read_text("utf-8"))
    ]
    # A copy of what is stored about an organisation has the entries as they are, and so has the feed of events.
    permitted = {"access", "events", "migrations", "personal_data"}
    assert {path.parts[0] for path in naming} >= permitted
    show([f"{path}: names the audit table" for path in naming if path.parts[0] not in permitted])


def test_no_vague_names() -> None:
    vague = {"helpers", "utils", "util", "base", "manager", "service", "common", "misc"}
    places = [path.relative_to(SOURCE) for path in FILES]
    show([f"{place}: the name says nothing" for place in places if vague & {*place.parts, place.stem}])


def test_coined_words_do_not_come_back() -> None:
    """In the names of files, types, functions and fixtures."""
    root = TESTS.parent
    found: list[str] = []
    for path in [*FILES, *TEST_FILES, *OTHER_FILES]:
        where = path.relative_to(root).as_posix()
        found += [f"{where}: what lay there has another name now" for past in PATHS if past.match(where)]
        denied = NAMES.union(*(names for place, names in NAMES_AT.items() if re.match(place, where)))
        for line, name in [(0, path.stem), *_defined(path)]:
            coined = ({name} & denied) | (_words(name) & WORDS)
            found += [f"{where}:{line} {name}: {word} is on the list of coined words" for word in sorted(coined)]
    show(found)


def _defined(path: Path) -> Iterator[tuple[int, str]]:
    """Types, functions, and in the product also parameters and variables.

    Of functions in the tests only fixtures: their names are read in other files.
    """
    is_product = path in FILES
    for node in nodes(path):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            is_fixture = any("fixture" in ast.unparse(decorator) for decorator in node.decorator_list)
            if is_product or path in OTHER_FILES or is_fixture:
                yield node.lineno, node.name
        elif isinstance(node, ast.ClassDef):
            yield node.lineno, node.name
        elif is_product and isinstance(node, ast.arg):
            yield node.lineno, node.arg
        elif is_product and isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.id


def test_coined_words_are_not_in_the_schema() -> None:
    """In the names of tables, columns, constraints, indexes, functions and triggers."""
    names = set(re.findall(r"[a-z][a-z_]*", (SOURCE / "migrations/schema.sql").read_text("utf-8")))
    assert {"storage_account", "partner_usage"} <= names
    show(
        [f"schema.sql: {name} is on the list of coined words" for name in sorted(names) if set(name.split("_")) & WORDS]
    )


def _words(name: str) -> set[str]:
    return {word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)}

"""The rules of the house that no linter knows."""

import ast
from collections.abc import Iterator
from pathlib import Path

SOURCE = Path(__file__).parent.parent / "src/tonnage"
FILES = sorted(SOURCE.rglob("*.py"))


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_no_file_is_long() -> None:
    assert len(FILES) > 100
    assert [path.name for path in FILES if len(path.read_text().splitlines()) > 300] == []


def test_no_function_is_long() -> None:
    long = [
        f"{path.relative_to(SOURCE)}:{function.lineno} {function.name}"
        for path in FILES
        for function in functions(path)
        if (function.end_lineno or 0) - function.lineno >= 40
    ]
    assert long == []


def test_only_access_names_the_audit_table() -> None:
    naming = {path.relative_to(SOURCE).parts[0] for path in SOURCE.rglob("*") if path.suffix in {".py", ".sql"}
              and "audit_entry" in path.read_text()}  # fmt: skip
    assert naming == {"access", "migrations"}


def test_sql_stands_in_files_of_queries() -> None:
    """Actions, doors and jobs call named functions; the database's own facts are looked at by those who keep it."""
    allowed = {
        "db.py",
        "sealing.py",
        "checks.py",
        "surroundings.py",
        "runner.py",
        "queue.py",
        "__init__.py",
        "server.py",
    }
    running = {
        path.name
        for path in FILES
        if ".execute(" in path.read_text() and not path.name.endswith("queries.py") and path.name not in allowed
    }
    assert running <= {"context.py", "doctor.py", "listing.py"}


def test_no_vague_names() -> None:
    vague = {"helpers", "utils", "util", "base", "manager", "service", "common", "misc"}
    assert [path for path in FILES if path.stem in vague or vague & set(path.parts[-3:])] == []

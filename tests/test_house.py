"""The rules of the house that no linter knows."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

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
              and re.search(r"\baudit_entry\b", path.read_text())}  # fmt: skip
    assert naming == {"access", "migrations"}


def test_sql_stands_in_files_of_queries() -> None:
    """Actions, doors and jobs call named functions; the database's own facts are looked at by those who keep it."""
    allowed = {
        "deadlines.py",
        "sealing.py",
        "checks.py",
        "doctor_checks.py",
        "runner.py",
        "queue.py",
        "__init__.py",
        "server.py",
    }
    running = {
        path.name
        for path in FILES
        if ".execute(" in path.read_text()
        and not path.name.endswith(("queries.py", "lists.py"))
        and path.name not in allowed
    }
    assert running <= {"context.py", "doctor.py", "json_list.py"}


def test_no_vague_names() -> None:
    vague = {"helpers", "utils", "util", "base", "manager", "service", "common", "misc"}
    assert [path for path in FILES if path.stem in vague or vague & set(path.parts[-3:])] == []


TEXTS = "name|details|description|email|contact_email|email_key|contact_email_key|subject|currency|access_key"
"""Columns of text that something is ordered by; keys of names are `collate "C"` by themselves."""


def statements() -> Iterator[tuple[str, str]]:
    """The place and the text of each string of the program but docstrings; what is put into an f-string is `{}`."""
    for path in FILES:
        tree = ast.parse(path.read_text())
        inner = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
        inner |= {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            place = f"{path.relative_to(SOURCE)}:{getattr(node, 'lineno', 0)}"
            if isinstance(node, ast.JoinedStr):
                yield (
                    place,
                    "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values),
                )
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inner:
                yield place, node.value


def test_no_collation_of_the_server_decides() -> None:
    """Names are folded, searched and ordered by their keys (names.py), other text by its bytes."""
    folding = re.compile(r"\b(?:lower|upper|initcap)\((?![^()]*collate \"C\")|\bilike\b|\bsimilar to\b|~\*|\bcitext\b")
    ordering = re.compile(rf"\border by\b[^()]*?\b(?:{TEXTS})\b(?! collate \"C\")")
    sorting = re.compile(rf"\w+\.(?:{TEXTS})")  # an element of a lists.Sort
    assert len(list(statements())) > 1000
    assert [place for place, text in statements() if folding.search(text)] == []
    assert [place for place, text in statements() if ordering.search(text)] == []
    assert [place for place, text in statements() if sorting.fullmatch(text)] == []


def test_features_know_no_urls_of_lists() -> None:
    """Their SQL of paging comes from tonnage.lists; what a URL says of a list is read by pages."""
    using = {path.relative_to(SOURCE).parts[0] for path in FILES if "tonnage.web.list_state" in path.read_text()}
    assert using == {"console"}


def test_arguments_of_pages_are_solved_by_fastapi() -> None:
    using = {path.relative_to(SOURCE).parts[0] for path in FILES if "ApiRoute" in path.read_text()}
    assert "console" not in using
    plain = {path.relative_to(SOURCE).parts[0] for path in FILES if "route_class=AuthFirstRoute" in path.read_text()}
    assert plain == {"console"}


def test_no_lambda_only_passes_its_connection_on() -> None:
    """`run(work, argument)`, not `run(lambda conn: work(conn, argument))`."""
    found = [
        f"{path.relative_to(SOURCE)}:{node.lineno}"
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Lambda) and passes_on(node)
    ]
    assert found == []


def passes_on(function: ast.Lambda) -> bool:
    """Whether its first parameter, a connection by name, is the first argument of the call that it is."""
    parameters, call = function.args.posonlyargs + function.args.args, function.body
    if not parameters or not isinstance(call, ast.Call) or not call.args:
        return False
    name, first = parameters[0].arg, call.args[0]
    return name.strip("_") in {"conn", "connection", "db"} and isinstance(first, ast.Name) and first.id == name


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("lambda conn: work(conn, 1)", True),
        ("lambda connection, after=0: queries.work(connection, after=after)", True),
        ("lambda conn: conn.execute('select 1')", False),
        ("lambda account: backend.apply(account)", False),
    ],
)
def test_that_check(text: str, expected: bool) -> None:
    function = ast.parse(text, mode="eval").body
    assert isinstance(function, ast.Lambda)
    assert passes_on(function) is expected

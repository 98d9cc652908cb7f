"""The rules of the house that no linter knows."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.source import FILES, SOURCE, TEST_FILES, TESTS, nodes


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in nodes(path):
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


def test_fixtures_of_data_have_three_names() -> None:
    """People are the `cast`, things are `data`, and a `client` calls the application."""
    others = {
        "business",
        "cluster_house",
        "desk",
        "desks",
        "house",
        "opened",
        "scene",
        "site",
        "stage",
        "trade",
        "world",
    }
    assert others.isdisjoint(fixtures(TEST_FILES))


def fixtures(paths: list[Path]) -> set[str]:
    found = {
        function.name
        for path in paths
        for function in functions(path)
        if any("pytest.fixture" in ast.unparse(decorator) for decorator in function.decorator_list)
    }
    assert {"cast", "data", "client"} <= found
    return found


def test_refusals_of_actions_are_shown_to_change_nothing() -> None:
    """By `refused` of tests/unchanged.py, or in the application's own client, which sees to it with every call."""
    inside = {
        "accounts/test_changes.py": "refused in the middle of a transaction, which goes on",
        "capacity/test_waiting.py": "another change goes first, and is done",
    }
    refusals = {"Conflict", "NotFound", "Forbidden", "Invalid"}
    bare = {
        str(path.relative_to(TESTS))
        for path in TEST_FILES
        if path.relative_to(TESTS).parts[0] in {"accounts", "capacity", "contracts", "partners", "regions"}
        for node in nodes(path)
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) == "pytest.raises"
        and refusals & {name.id for name in ast.walk(node.args[0]) if isinstance(name, ast.Name)}
    }
    assert bare == inside.keys()


def test_tests_give_parameters_and_replace_nothing_of_ours() -> None:
    """`monkeypatch.setattr` on our own modules ties a test to the name of a constant, and is blind when that moves."""
    reasons = {
        "console/wording/test_catalogue.py": "a language that only this test has; catalogues are found by their folder",
    }
    replacing: set[str] = set()
    for path in TEST_FILES:
        ours = {
            alias.asname or alias.name
            for node in nodes(path)
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "tonnage"
            for alias in node.names
        }
        for node in nodes(path):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "monkeypatch.setattr":
                what = ast.unparse(node.args[0]).strip("'\"")
                if what.split(".")[0] in {"tonnage", *ours}:
                    replacing.add(str(path.relative_to(TESTS)))
    assert replacing == reasons.keys()

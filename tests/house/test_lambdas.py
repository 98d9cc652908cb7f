"""`database.run(work, argument)`, not `run(lambda conn: work(conn, argument))`."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.tree import show
from tests.source import FILES, TEST_FILES, TESTS, nodes


def test_no_lambda_only_passes_its_connection_on() -> None:
    """In the product only: in tests a lambda may be a deferred step."""
    found = [(path, node) for path in FILES for node in nodes(path) if isinstance(node, ast.Lambda)]
    found += [(path, node) for path in TEST_FILES for node in _run_at_once(path)]
    show(
        [
            f"{path.relative_to(TESTS.parent)}:{node.lineno}: a lambda only passes its connection on"
            for path, node in found
            if _passes_on(node)
        ]
    )


def _run_at_once(path: Path) -> Iterator[ast.Lambda]:
    for node in nodes(path):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") in {"run", "transaction"}:
            yield from (argument for argument in node.args if isinstance(argument, ast.Lambda))


def _passes_on(function: ast.Lambda) -> bool:
    """Whether its first parameter, a connection by name, is the first argument of the call in its body."""
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
def test_the_check_itself(text: str, expected: bool) -> None:
    function = ast.parse(text, mode="eval").body
    assert isinstance(function, ast.Lambda)
    assert _passes_on(function) is expected

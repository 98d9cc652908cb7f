"""Jobs are asked for by name, by features that do not know who does them: every name must have somebody."""

import ast
from collections.abc import Iterator

from tests.test_house import FILES, SOURCE
from tonnage.worker import MAILING, ON_DEMAND

NAMES = set(ON_DEMAND) | set(MAILING)


def deferred() -> Iterator[tuple[str, str]]:
    """Where a job is asked for, and its name as it is written there."""
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "defer":
                name = node.args[1]
                assert isinstance(name, ast.Constant), f"{path}:{node.lineno}: write the name where it is deferred"
                assert isinstance(name.value, str)
                yield f"{path.relative_to(SOURCE)}:{node.lineno}", name.value


def test_every_deferred_name_has_a_function() -> None:
    assert [(where, name) for where, name in deferred() if name not in NAMES] == []


def test_every_function_is_asked_for() -> None:
    assert {name for _, name in deferred()} == NAMES

"""Rules of the tests themselves."""

import ast
from pathlib import Path

from tests.source import TEST_FILES, TESTS, nodes
from tests.test_house import functions


def test_fixtures_of_data_have_three_names() -> None:
    """Fixtures of organisations are the `cast`, of resources `data`, and a `client` calls the application."""
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
    """By `refused` of tests/unchanged.py, or by the application's client, which checks it for every call."""
    inside = {
        "accounts/test_changes.py": "refused in the middle of a transaction, which goes on",
        "capacity/test_limits.py": "another creation goes first, and is done",
        "capacity/test_waiting.py": "another change goes first, and is done",
        "partners/test_closing.py": "another change goes first, and is done",
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
    """`monkeypatch.setattr` on our own modules ties a test to a constant's name, and does nothing when that moves."""
    reasons = {
        "wording/test_catalogue.py": "a language that only this test has; catalogues are found by their folder",
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

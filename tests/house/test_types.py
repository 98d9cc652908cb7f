"""One name, one type: a name has the same meaning in every file."""

import ast
from collections import defaultdict

from tests.house.tree import modules, show

SHARED: dict[str, str] = {}
"""Names that several types may have, and why."""


def test_a_name_is_one_type() -> None:
    found: defaultdict[str, list[str]] = defaultdict(list)
    for module in modules():
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ClassDef):
                found[node.name].append(f"{module.where}:{node.lineno}")
    several = {name: places for name, places in found.items() if len(places) > 1}
    assert len(found) > 150
    show(
        [f"{name}: is a type at {' and at '.join(places)}" for name, places in several.items() if name not in SHARED]
        + [f"{name}: is one type now" for name in SHARED if name not in several]
    )

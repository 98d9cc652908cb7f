"""Strings of SQL in the product's source, concatenated as far as possible without running it."""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from tests.house.tree import Module, modules

_KEYWORDS = (
    r"select\b.*?\bfrom\b|select\s+[\w.]+\s*\(|insert\s+into\s|update\s+(only\s+)?\S+\s+(as\s+)?(\w+\s+)?set\b"
    r"|delete\s+from\s|truncate\s+\S|merge\s+into\s|copy\s+\S+\s*(\(.*?\)\s*)?(from|to)\s+std"
    r"|with\s+(recursive\s+)?\w+\s*(\([^)]*\)\s*)?as\s+(not\s+)?(materialized\s*)?\("
)
_STATEMENT = re.compile(rf"[\s(]*(--[^\n]*\n\s*)*({_KEYWORDS})", re.DOTALL | re.IGNORECASE)
_FIRST_WORD = re.compile(r"[\s(]*(?:--[^\n]*\n\s*)*(\w+)")


@dataclass(frozen=True)
class Text:
    """A whole string in a module: f-strings with their constants, and `{}` for unknown values."""

    module: Module
    line: int
    text: str

    @property
    def is_statement(self) -> bool:
        """Whether it begins like a statement of SQL, in lower or upper case. Prose begins in neither."""
        first = _FIRST_WORD.match(self.text)
        return bool(first and (first[1].islower() or first[1].isupper()) and _STATEMENT.match(self.text))

    @property
    def at(self) -> str:
        """Its position, for a message."""
        return f"{self.module.where}:{self.line}"


@cache
def texts() -> tuple[Text, ...]:
    """Every string of the product except docstrings."""
    return tuple(text for module in modules() for text in _of(module))


def _of(module: Module) -> Iterator[Text]:
    constants: dict[str, str] = {}
    for node in module.tree.body:
        target, value = _assigned(node)
        if target and value and (text := _folded(value, constants)) is not None:
            constants[target] = text
    docstrings = {
        id(node.value)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    yield from _within(module, module.tree, constants, docstrings)


def _within(module: Module, node: ast.AST, constants: Mapping[str, str], skipped: set[int]) -> Iterator[Text]:
    for child in ast.iter_child_nodes(node):
        if id(child) in skipped:
            continue
        text = None
        if isinstance(child, ast.Constant | ast.JoinedStr | ast.BinOp):
            text = _folded(child, constants)
        if text is not None:
            yield Text(module, getattr(child, "lineno", 0), text)
        else:
            yield from _within(module, child, constants, skipped)


def _assigned(node: ast.stmt) -> tuple[str | None, ast.expr | None]:
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        return node.targets[0].id, node.value
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return node.target.id, node.value
    return None, None


def _folded(node: ast.expr, constants: Mapping[str, str]) -> str | None:
    """The string that an expression evaluates to; None if it cannot be determined."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.Name):
        return constants.get(node.id)
    if isinstance(node, ast.JoinedStr):
        parts = [part.value if isinstance(part, ast.FormattedValue) else part for part in node.values]
        return "".join(_folded(part, constants) or "{}" for part in parts)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = _folded(node.left, constants), _folded(node.right, constants)
        return None if left is None and right is None else (left or "{}") + (right or "{}")
    return None

"""The error codes that the source of a handler can reach, read from the syntax trees: an upper bound, since a function
that is only named counts as called, and a method by its name in all the classes that a module knows.
"""

import ast
from collections.abc import Iterator
from functools import cache
from typing import TypeAlias

from tests.house.tree import Kind, by_name, modules
from tonnage.error_codes import CODES, Code

Function: TypeAlias = tuple[str, str]
"""The name of its module, and its own; of a method with its class."""

_BEHIND = {"tonnage.storage.backend": ("tonnage.storage.ceph", "tonnage.storage.metered")}
"""Protocols: who knows one, calls its implementations."""

_CODES = {(type(code).__name__, code.name): code for code in CODES}


def reachable_codes(module: str, function: str) -> set[Code]:
    """The codes that the function names, and those that it calls."""
    seen: set[Function] = set()
    waiting: list[Function] = [(module, function)]
    codes: set[Code] = set()
    while waiting:
        one = waiting.pop()
        if one not in seen:
            seen.add(one)
            codes |= set(_codes(one))
            waiting.extend(_called(one))
    return codes


@cache
def _functions(module: str) -> dict[str, list[ast.AST]]:
    """By name. A class is what it calls to be made; a name of the module that is neither is what it is made of."""
    found: dict[str, list[ast.AST]] = {}
    for node in by_name()[module].tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found.setdefault(node.name, []).append(node)
        elif isinstance(node, ast.ClassDef):
            found.setdefault(node.name, []).extend(node.bases)
            for member in node.body:
                if isinstance(member, ast.FunctionDef | ast.AsyncFunctionDef):
                    name = node.name if member.name == "__init__" else f"{node.name}.{member.name}"
                    found.setdefault(name, []).append(member)
    return found


@cache
def _imported(module: str) -> dict[str, Function]:
    """What the names in a module stand for: a module and, unless it is the module itself, a name in it."""
    found: dict[str, Function] = {}
    for node in ast.walk(by_name()[module].tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                target = (whole, "") if whole in by_name() else (node.module, alias.name)
                if target[0] in by_name():
                    found[alias.asname or alias.name] = target
    return found


@cache
def _methods(module: str) -> dict[str, list[Function]]:
    """By their names, the methods of the classes in a module and in those that it imports."""
    known = {module, *(of for of, _ in _imported(module).values())}
    known |= {one for protocol in known for one in _BEHIND.get(protocol, ())}
    found: dict[str, list[Function]] = {}
    for one in known:
        for name in _functions(one):
            if "." in name:
                found.setdefault(name.partition(".")[2], []).append((one, name))
    return found


def _called(one: Function) -> Iterator[Function]:
    module, _ = one
    for node in _nodes(one):
        if isinstance(node, ast.Name):
            if node.id in _functions(module):
                yield module, node.id
            elif node.id in _imported(module):
                yield _resolved(_imported(module)[node.id])
        elif isinstance(node, ast.Attribute):
            of = node.value
            if isinstance(of, ast.Name) and _imported(module).get(of.id, ("", "x"))[1] == "":
                yield _resolved((_imported(module)[of.id][0], node.attr))
            else:
                yield from _methods(module).get(node.attr, ())


def _resolved(one: Function) -> Function:
    """Where it is defined, if the module only passes it on."""
    module, name = one
    if name and name not in _functions(module) and name in _imported(module):
        return _resolved(_imported(module)[name])
    return one


def _nodes(one: Function) -> Iterator[ast.AST]:
    for root in _functions(one[0]).get(one[1], ()):
        yield from ast.walk(root)


def _codes(one: Function) -> Iterator[Code]:
    for node in _nodes(one):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            code = _CODES.get((node.value.id, node.attr))
            if code is not None:
                yield code


def handlers() -> dict[str, Function]:
    """The functions of the API, by the names of their operations: `create_partner`, and both of a shared handler."""
    found: dict[str, Function] = {}
    for module in modules():
        if (module.kind is Kind.DOOR and module.stem == "api") or module.where == "sandbox/api.py":
            for name in _functions(module.name):
                found[name] = module.name, name
    return found

"""The product's source as a tree of modules: the feature, kind and imports of each."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from functools import cache, cached_property
from pathlib import Path

import pytest

from tests.source import FILES, SOURCE

PLUMBING = frozenset(
    {
        "cli",
        "console",
        "db",
        "demo",
        "embedded",
        "error_codes",
        "jobs",
        "mail",
        "migrations",
        "sandbox",
        "sealing",
        "storage",
        "web",
        "wording",
    }
)
"""Packages that are no features. Every other package is one."""


class Kind(IntEnum):
    """Kinds of a feature's files, in the order of imports: each may use its own kind and those before it."""

    NOUN = 0
    QUERY = 1
    ACTION = 2
    DOOR = 3


_KINDS = {
    "api": Kind.DOOR,
    "jobs": Kind.DOOR,
    "actions": Kind.ACTION,
    "queries": Kind.QUERY,
    "lists": Kind.QUERY,
    "checks": Kind.QUERY,
}

OTHERS = {
    "api_keys/guard.py": (Kind.DOOR, "what the doors of all features depend on: reads the request's key"),
    "api_keys/key_cache.py": (Kind.ACTION, "a cache is state, and reads the database when it has to"),
    "api_keys/rate_limit_middleware.py": (
        Kind.DOOR,
        "middleware, which refuses a request before its route is looked for",
    ),
    "api_keys/partner_operation.py": (Kind.DOOR, "one handler for two routes: the distributor's and the partner's"),
    "authentication/mails.py": (Kind.ACTION, "texts, for the mailer below the features"),
    "documents/fonts.py": (Kind.ACTION, "reads the files of fonts: which characters they have"),
    "documents/line_texts.py": (Kind.ACTION, "texts in the seller's language and numbers, whose catalogues are files"),
    "documents/lines_csv.py": (Kind.ACTION, "CSV by the rules of web/, which all lists follow"),
    "documents/paper.py": (Kind.ACTION, "texts in the seller's language and numbers, whose catalogues are files"),
    "documents/texts.py": (Kind.ACTION, "texts in the seller's language, whose catalogues are files"),
    "documents/typesetting.py": (Kind.ACTION, "runs typst on the template, which is a file"),
    "idempotency/idempotent_route.py": (Kind.DOOR, "the class of routes that make a change once for each key"),
    "regions/backends.py": (Kind.ACTION, "opens connections to clusters, and keeps them"),
    "price_books/version_body.py": (Kind.DOOR, "the body that the API and the files of the command line have"),
    "workings/response.py": (Kind.DOOR, "lines and their working, as the API of statements describes them"),
    "usage/days.py": (Kind.DOOR, "the query parameters of several doors"),
}
"""Files of features that are neither of the usual kinds nor nouns: the kind that each counts as, and why."""


@dataclass(frozen=True)
class Module:
    path: Path

    @cached_property
    def where(self) -> str:
        """Its path below src/tonnage."""
        return self.path.relative_to(SOURCE).as_posix()

    @cached_property
    def name(self) -> str:
        """The dotted name."""
        parts = self.path.relative_to(SOURCE.parent).with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    @cached_property
    def package(self) -> str:
        """The folder in src/tonnage, or the name of a top-level module."""
        return self.where.split("/")[0].removesuffix(".py")

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.path.read_text("utf-8"))

    @cached_property
    def stem(self) -> str:
        """The name that determines its kind: that of the file, or of the package within the feature."""
        return self.where.split("/")[1].removesuffix(".py")

    @cached_property
    def kind(self) -> Kind | None:
        """None: of no feature, or an empty `__init__.py`."""
        if self.package not in features() or self.where == f"{self.package}/__init__.py":
            return None
        if self.where in OTHERS:
            return OTHERS[self.where][0]
        return _KINDS.get(self.stem.rpartition("_")[2] or self.stem, Kind.NOUN)

    @cached_property
    def imports(self) -> list[tuple[int, str]]:
        """The line and the dotted name of every import anywhere in it."""
        found: list[tuple[int, str]] = []
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                found += [(node.lineno, alias.name) for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                inside = [f"{node.module}.{alias.name}" for alias in node.names]
                found += [(node.lineno, name if name in by_name() else node.module) for name in inside]
        return found


@cache
def modules() -> tuple[Module, ...]:
    assert len(FILES) > 100
    return tuple(Module(path) for path in FILES)


@cache
def by_name() -> dict[str, Module]:
    """All modules, by their dotted names."""
    return {module.name: module for module in modules()}


@cache
def features() -> frozenset[str]:
    """The names of the feature packages."""
    folders = {path.relative_to(SOURCE).parts[0] for path in FILES if path.parent != SOURCE}
    return frozenset(folders - PLUMBING)


def of_features() -> Iterator[tuple[Module, Kind]]:
    """The modules of all features."""
    for module in modules():
        if module.kind is not None:
            yield module, module.kind


def show(found: list[str]) -> None:
    """Fails with all messages, one per line."""
    if found:
        pytest.fail("\n".join(["", *sorted(found)]), pytrace=False)


def unused(listed: dict[str, str], used: set[str]) -> list[str]:
    """Exceptions that are not needed any more."""
    return [f"{name}: is on a list of exceptions, but needs none" for name in listed if name not in used]

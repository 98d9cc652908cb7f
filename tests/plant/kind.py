"""A kind of planted violation."""

from dataclasses import dataclass

IMPORTS, HOUSE, RUFF, PYRIGHT, DOCUMENTS, MESSAGES = (
    "lint-imports",
    "pytest",
    "ruff",
    "pyright",
    "documents",
    "messages",
)


@dataclass(frozen=True)
class Plant:
    """`text` is appended to `file`, which is created if missing; or it replaces `instead_of`."""

    kind: str
    checker: str
    file: str
    """From the root of the repository on."""
    text: str
    expected: str
    """A regular expression for a line of the checker's output."""
    instead_of: str = ""


def house(kind: str, file: str, text: str, expected: str) -> Plant:
    """A violation in the product that a test names, with the file."""
    return Plant(kind, HOUSE, f"src/tonnage/{file}", text, rf"\b{file}\b.*{expected}")


def imports(kind: str, file: str, target: str) -> Plant:
    """An import that import-linter names. It names a library by its package alone."""
    package, _, name = target.rpartition(".")
    named = target if target.startswith("tonnage.") else package
    importer = "tonnage." + file.removesuffix(".py").replace("/", ".")
    text = f"\nfrom {package} import {name}\n"
    return Plant(kind, IMPORTS, f"src/tonnage/{file}", text, rf"{importer} -> {named}\b")

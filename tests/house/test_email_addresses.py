"""One file decides what an e-mail address is and which spellings of one are equal."""

import ast

from tests.house.tree import modules, show

PARSERS = frozenset({"email_validator", "idna"})

FOLDING = frozenset({"casefold", "lower", "lstrip", "normalize", "rstrip", "strip", "swapcase", "translate", "upper"})


def _folds(node: ast.AST) -> bool:
    """`email.lower()`, `row["email"].strip()`, `email.encode().lower()`, `normalize("NFC", email)`."""
    if not isinstance(node, ast.Call):
        return False
    if isinstance(node.func, ast.Attribute) and node.func.attr in FOLDING - {"normalize"}:
        return "email" in ast.unparse(node.func.value).lower()
    called = ast.unparse(node.func).rpartition(".")[2]
    return called == "normalize" and any("email" in ast.unparse(argument).lower() for argument in node.args)


def test_one_file_knows_what_equal_addresses_are() -> None:
    """SQL folds no text at all: see test_collation.py."""
    elsewhere = [module for module in modules() if module.where != "email_address.py"]
    assert len(elsewhere) < len(modules())
    found = [
        f"{module.where}:{line}: only email_address.py parses e-mail addresses"
        for module in elsewhere
        for line, name in module.imports
        if name.partition(".")[0] in PARSERS
    ]
    found += [
        f"{module.where}:{node.lineno}: only email_address.py folds and trims e-mail addresses"
        for module in elsewhere
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and _folds(node)
    ]
    show(found)

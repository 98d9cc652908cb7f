"""Nouns are pure: no database, no network, no files, no clock. `now` is an argument.

A noun is a file of a feature that is neither one of the usual kinds nor on the list of exceptions.
"""

import ast
from collections.abc import Iterator

from tests.house.tree import Kind, Module, by_name, modules, of_features, show, unused

IMPURE = frozenset(
    {
        *(
            "asyncio",
            "http",
            "os",
            "select",
            "shutil",
            "signal",
            "socket",
            "ssl",
            "subprocess",
            "tempfile",
            "threading",
        ),
        *("time", "urllib.request"),
        *("aiosmtplib", "alembic", "botocore", "click", "fastapi", "httpx", "jinja2", "procrastinate", "psycopg"),
        *("psycopg_pool", "starlette", "uvicorn", "uvloop"),
    }
)

PURE = frozenset(
    {
        *(
            "tonnage.current_request",
            "tonnage.db.rendered",
            "tonnage.email_address",
            "tonnage.error_codes",
            "tonnage.errors",
            "tonnage.jobs.events",
            "tonnage.money",
            "tonnage.names",
            "tonnage.printable_text",
            "tonnage.sandbox.events",
            "tonnage.tokens",
            "tonnage.units",
            "tonnage.bigint",
        ),
        "tonnage.utc",
        *("tonnage.storage.backend", "tonnage.storage.bucket", "tonnage.storage.errors"),
    }
)
"""Modules outside the features that nouns may use. import-linter keeps these pure."""

_FILES = frozenset({"open", "read_bytes", "read_text", "write_bytes", "write_text"})

CLOCKS = {
    "cli/logs.py": "the time of a line in the log, by the logging module",
    "clock.py": "the clocks themselves",
}
"""Files that read the system's clock. Everything else gets a clock or `now`."""


def nouns() -> Iterator[Module]:
    for module, kind in of_features():
        if kind is Kind.NOUN:
            yield module


def test_nouns_import_nothing_impure() -> None:
    found: list[str] = []
    for module in nouns():
        for line, name in module.imports:
            own = by_name().get(name)
            if name.partition(".")[0] != "tonnage":
                if name in IMPURE or name.partition(".")[0] in IMPURE:
                    found.append(f"{module.where}:{line}: a noun imports {name}")
            elif name not in PURE and (own is None or own.kind is not Kind.NOUN):
                found.append(f"{module.where}:{line}: a noun imports {name}, which is none")
    assert len(list(nouns())) > 15
    show(found)


def test_nouns_wait_for_nothing_and_open_no_files() -> None:
    found: list[str] = []
    for module in nouns():
        for node in ast.walk(module.tree):
            if isinstance(node, ast.AsyncFunctionDef | ast.Await | ast.AsyncFor | ast.AsyncWith):
                found.append(f"{module.where}:{node.lineno}: a noun is asynchronous")
            elif isinstance(node, ast.Call) and _last_name(node.func) in _FILES:
                found.append(f"{module.where}:{node.lineno}: a noun calls {ast.unparse(node.func)}")
    show(found)


def test_clocks_are_read_in_one_place() -> None:
    """`datetime.now` and its like, `time.time`; a duration is another matter, and none of a noun's."""
    readings = [(module.where, line, call) for module in modules() for line, call in _readings(module)]
    show(
        [f"{where}:{line}: {call} reads the machine's clock" for where, line, call in readings if where not in CLOCKS]
        + unused(CLOCKS, {where for where, _, _ in readings})
    )


def _readings(module: Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Attribute):
            owner = _last_name(node.value)
            if (owner in {"datetime", "date", "dt"} and node.attr in {"now", "utcnow", "today"}) or (
                owner == "time" and node.attr in {"time", "time_ns", "gmtime", "localtime"}
            ):
                yield node.lineno, ast.unparse(node)
        elif isinstance(node, ast.ImportFrom) and node.module == "time":
            for alias in node.names:
                if alias.name in {"time", "time_ns", "gmtime", "localtime"}:
                    yield node.lineno, f"time.{alias.name}"


def _last_name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""

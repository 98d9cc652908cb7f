"""Checks the documentation: links resolve, JSON parses, the table of operations is that of the program, and the
page of benchmarks has the text and the rows that `make bench` writes.

`python -m tests.documents` checks, with `--write` it rewrites the generated table first.
"""

import difflib
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from bench import report
from tonnage.asgi import create_app
from tonnage.web.openapi import openapi_document

ROOT = Path(__file__).parent.parent
API = ROOT / "docs/api.md"
BEGIN, END = "<!-- operations: made by `make docs` -->\n", "<!-- end of operations -->"

_LINK = re.compile(r"\[[^\]]*\]\((?!https?://)([^)#\s]+)(#[^)]*)?\)")
_JSON = re.compile(r"```json\n(.*?)```", re.DOTALL)


def operations() -> str:
    """The table of every operation, in the order of the document."""
    document: dict[str, Any] = openapi_document(create_app("postgresql://not-asked"))
    rows = ["| operation | who | what it does |", "|---|---|---|"]
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            text = operation["summary"]
            who = "anybody" if not operation.get("security") else ", ".join(operation["tags"])
            rows.append(f"| `{method.upper()} {path}` | {who} | {text} |")
    return "\n".join(rows) + "\n"


def with_operations(page: str) -> str:
    """The page with its table replaced."""
    before, rest = page.split(BEGIN)
    return before + BEGIN + operations() + END + rest.split(END)[1]


def troubles() -> list[str]:
    """The errors, one per line."""
    found: list[str] = []
    listed = subprocess.run(["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True)
    for name in listed.stdout.split():
        page = ROOT / name
        text = page.read_text()
        for target, _ in _LINK.findall(text):
            if not (page.parent / target).exists():
                found.append(f"{name}: the link to {target} leads nowhere")
        for block in _JSON.findall(text):
            try:
                json.loads(block)
            except json.JSONDecodeError as error:
                found.append(f"{name}: a block marked as JSON is none ({error}): {block[:60]!r}")
    if with_operations(API.read_text()) != API.read_text():
        found.append(f"{API.relative_to(ROOT)}: the table of operations is not that of the program; run: make docs")
    expected, printed = report.expected_shape().splitlines(), report.shape(report.PAGE.read_text()).splitlines()
    found += [
        f"{report.PAGE.relative_to(ROOT)}: not what `make bench` prints (- is too much, + is missing): {line}"
        for line in difflib.ndiff(printed, expected)
        if line.startswith(("- ", "+ "))
    ]
    return found


def main() -> int:
    """Returns the exit status."""
    if "--write" in sys.argv[1:]:
        API.write_text(with_operations(API.read_text()))
    found = troubles()
    sys.stdout.write("\n".join([*found, ""]) if found else "The documents are in order.\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

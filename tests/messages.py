"""The message catalogues' template: every text of the program that users read, as in the sources.

`python -m tests.messages` checks that the template is current and that translations keep its placeholders, with
`--write` it rewrites the template first.
"""

import ast
import re
import sys
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.pofile import read_po, write_po

from tonnage.wording.catalogue import CONSOLE, DOCUMENTS, LOCALE

SOURCES = Path(__file__).parent.parent / "src/tonnage"
TEMPLATE = LOCALE / f"{CONSOLE}.pot"
OF_DOCUMENTS = LOCALE / f"{DOCUMENTS}.pot"

# The command line is English only, and texts that only it shows are not collected. Those of documents are a
# catalogue of their own.
NOT_SHOWN = {"cli", "demo", "documents", "embedded", "migrations", "__main__.py", "config.py", "sealing.py"}

# An error's first argument is its sentence; a ValueError's is the rule that a field breaks.
ERRORS = ("Malformed", "Invalid", "Unauthenticated", "Forbidden", "NotFound", "Conflict", "Unavailable", "Throttled")
KEYWORDS: Mapping[str, tuple[int, ...] | None] = {
    **dict.fromkeys((*ERRORS, "Misconfigured", "BackendRefused", "ValueError", "Sentence"), (1,)),
    "field": (2,),  # Invalid.field
    "Event": (2,),
    "Count": (1, 2),
}

_PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]|\{\w+\}")


def _shown() -> list[str]:
    """Patterns of the sources whose texts users read."""
    parts = sorted(path for path in SOURCES.iterdir() if path.name not in NOT_SHOWN and not path.name.startswith("__p"))
    folders = [f"{path.name}/**/*.py" for path in parts if path.is_dir()]
    return folders + [path.name for path in parts if path.suffix == ".py"]


def template() -> bytes:
    """The template, without dates and line numbers: it changes when a text does."""
    return _template([("console/**.html", "jinja2"), *((pattern, "python") for pattern in _shown())])


def template_of_documents() -> bytes:
    """The same, of what sellers send."""
    return _template([("documents/**/*.py", "python")])


def _template(methods: list[tuple[str, str]]) -> bytes:
    catalogue = Catalog(project="Tonnage", header_comment="# Every text that people see; made by `make messages`.")
    options = {"console/**.html": {"trim_blocks": "true", "lstrip_blocks": "true", "silent": "false"}}
    for name, _, text, comments, context in extract_from_dir(
        SOURCES, methods, options, {**DEFAULT_KEYWORDS, **KEYWORDS}
    ):
        catalogue.add(text, None, [(name, 0)], auto_comments=comments, context=context)
    written = BytesIO()
    write_po(written, catalogue, width=120, sort_by_file=True, include_lineno=False)
    return b"".join(
        line
        for line in written.getvalue().splitlines(keepends=True)
        if not line.startswith((b'"POT-Creation-Date', b'"Generated-By', b"#, fuzzy"))
    )


def troubles() -> list[str]:
    """The errors, one per line."""
    found: list[str] = []
    for path, made in ((TEMPLATE, template), (OF_DOCUMENTS, template_of_documents)):
        if not path.exists() or path.read_bytes() != made():
            found.append(f"{path.name} is not what the sources say; run: make messages")
    for path in sorted(LOCALE.glob("*/LC_MESSAGES/*.po")):
        with path.open("rb") as file:
            found += [f"{path.parent.parent.name}: {wrong}" for wrong in misplaced(read_po(file))]
    for path in sorted(LOCALE.glob(f"*/LC_MESSAGES/{DOCUMENTS}.po")):
        with path.open("rb") as file:
            found += [f"{path.parent.parent.name}: {wrong}" for wrong in untranslated(read_po(file))]
    collected = [path for pattern in _shown() for path in SOURCES.glob(pattern)]
    return found + [wrong for path in sorted(collected) for wrong in ambiguous(path)]


def untranslated(catalogue: Catalog) -> list[str]:
    """The texts of documents that a language lacks: no paper is in two languages."""
    texts = [message.id for message in read_po(BytesIO(template_of_documents())) if message.id]
    known = {str(message.id) for message in catalogue if message.id and message.string}
    return [f"{text!r} is not translated" for text in texts if str(text) not in known]


def ambiguous(path: Path) -> list[str]:
    """The places where Python 3.11 and 3.12 would collect different texts: strings and calls inside of f-strings."""
    tree = ast.parse(path.read_text())
    inside = [
        argument.lineno
        for call in _collected_calls(tree)
        for argument in call.args
        if isinstance(argument, ast.JoinedStr) and any(map(_has_string, argument.values))
    ]
    inside += [
        call.lineno for text in ast.walk(tree) if isinstance(text, ast.JoinedStr) for call in _collected_calls(text)
    ]
    return [
        f"{path.relative_to(SOURCES)}:{line} has a text inside of an f-string; give it a name before"
        for line in sorted(set(inside))
    ]


def _collected_calls(tree: ast.AST) -> list[ast.Call]:
    """The calls whose texts are collected."""
    names = {*DEFAULT_KEYWORDS, *KEYWORDS}
    return [node for node in ast.walk(tree) if isinstance(node, ast.Call) and _name(node.func) in names]


def _name(function: ast.expr) -> str | None:
    return getattr(function, "attr", getattr(function, "id", None))


def _has_string(part: ast.expr) -> bool:
    return isinstance(part, ast.FormattedValue) and any(
        isinstance(node, ast.Constant) and isinstance(node.value, str) for node in ast.walk(part.value)
    )


def misplaced(catalogue: Catalog) -> list[str]:
    """The messages whose translations have other placeholders: those would break the page that shows them."""
    return [
        f"{message.id!r} has other placeholders than its translation"
        for message in catalogue
        if message.id and any(_placeholders(text) - _placeholders(message.id) for text in _texts(message.string))
    ]


def _placeholders(texts: str | tuple[str, ...] | list[str]) -> set[str]:
    return {place for text in _texts(texts) for place in _PLACEHOLDER.findall(text)}


def _texts(texts: str | tuple[str, ...] | list[str] | None) -> list[str]:
    return [texts] if isinstance(texts, str) else list(texts or ())


def main() -> int:
    """Returns the exit status."""
    if "--write" in sys.argv[1:]:
        TEMPLATE.parent.mkdir(exist_ok=True)
        TEMPLATE.write_bytes(template())
        OF_DOCUMENTS.write_bytes(template_of_documents())
    found = troubles()
    sys.stdout.write("\n".join([*found, ""]) if found else "The messages are in order.\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

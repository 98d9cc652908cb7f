"""Runs typst: texts become the bytes of a PDF/A-3b.

The template is the package's own and reads no files, nor could it outside of the package. What it shows comes as data.
While it compiles, other threads of the interpreter go on.
"""

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, cast

from typst import Compiler

from tonnage.documents.fonts import FAMILIES, fonts, legible

_TEMPLATE = Path(__file__).parent / "statement.typ"


def typeset(page: Mapping[str, Any], logo: bytes, day: date) -> bytes:
    """The same bytes for the same arguments: `day` is the only date in it. `logo`: a PNG, or nothing."""
    shown = {**_legible(page), "fonts": FAMILIES, "day": [day.year, day.month, day.day]}
    inputs = {"page": json.dumps(shown)}
    if logo:
        inputs["logo"] = json.dumps(list(logo))
    compiler = Compiler(
        _TEMPLATE.read_bytes(), root=_TEMPLATE.parent, font_paths=fonts(), ignore_system_fonts=True, sys_inputs=inputs
    )
    made = compiler.compile(
        format="pdf", pdf_standards="a-3b", timestamp=datetime(day.year, day.month, day.day, tzinfo=UTC)
    )
    return cast("bytes", made)


def _legible(value: Any) -> Any:
    match value:
        case str():
            return legible(value)
        case dict():
            return {name: _legible(member) for name, member in cast("dict[str, Any]", value).items()}
        case list() | tuple():
            return [_legible(element) for element in cast("list[Any]", value)]
        case _:
            return value

"""Cells and lines of CSV files: for the reader's spreadsheet, and without cells that it would execute.

A spreadsheet separates cells by its own settings, so a text must be harmless wherever one of them may begin a cell.
"""

import codecs
import csv
import io
import re
from collections.abc import Sequence
from decimal import Decimal

from tonnage.web.number_text import WITH_POINT, NumberFormat

_CELL_START = re.compile(
    # The beginning of the text, and what separates cells or lines anywhere.
    r"((?:\A|[;,|\t\n\r\v\f\x1c-\x1e\x85\u2028\u2029])"
    # What programs remove before they look at a cell.
    r"[\s\"\x00-\x1f\x7f-\x9f\u200b-\u200f\u2060\ufeff]*+)"
    # What begins a formula; the same in full width and in small forms.
    r"([=+\-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b]?)"
)


def escape_formulas(text: str) -> str:
    """Puts an apostrophe before everything that a spreadsheet could take for a formula, at any separator of cells."""
    escaped = _CELL_START.sub(lambda found: f"{found[1]}'{found[2]}" if found[2] else found[1], text)
    # Some programs drop these, and look again.
    return f"'{escaped}" if text.startswith(("\t", "\r", "\n")) else escaped


def cell_text(cell: object, number_format: NumberFormat) -> object:
    """A cell as it is written. Numbers stay numbers: with the reader's decimal mark, without groups."""
    if isinstance(cell, Decimal):
        return f"{cell:f}".replace(".", number_format.decimal)
    return escape_formulas(cell) if isinstance(cell, str) else cell


def encoded(rows: Sequence[Sequence[object]], number_format: NumberFormat) -> bytes:
    """The lines of a file."""
    text = io.StringIO()
    separator = "," if number_format.decimal == "." else ";"
    csv.writer(text, delimiter=separator).writerows([cell_text(cell, number_format) for cell in row] for row in rows)
    return text.getvalue().encode("utf-8")


def whole_file(rows: Sequence[Sequence[object]], number_format: NumberFormat = WITH_POINT) -> bytes:
    """A file with a byte order mark, without which spreadsheets guess the encoding."""
    return codecs.BOM_UTF8 + encoded(rows, number_format)

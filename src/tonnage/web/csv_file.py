"""Lists as CSV files: of any length, for the reader's spreadsheet, and without cells that it would execute.

A spreadsheet separates cells by its own settings, so a text must be harmless wherever one of them may begin a cell.
"""

import codecs
import csv
import io
import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Hashable, Sequence
from contextlib import aclosing
from decimal import Decimal
from typing import TypeAlias

from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from tonnage.db import Connection, Pool
from tonnage.web.number_text import WITH_POINT, NumberFormat
from tonnage.web.slow_client import send_parts
from tonnage.web.stream_limits import connection

Rows: TypeAlias = Callable[[Connection], AsyncGenerator[Sequence[object]]]
"""The rows of a file, read on a separate connection."""

_CELL_START = re.compile(
    # The beginning of the text, and what separates cells or lines anywhere.
    r"((?:\A|[;,|\t\n\r\v\f\x1c-\x1e\x85\u2028\u2029])"
    # What programs remove before they look at a cell.
    r"[\s\"\x00-\x1f\x7f-\x9f\u200b-\u200f\u2060\ufeff]*+)"
    # What begins a formula; the same in full width and in small forms.
    r"([=+\-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b]?)"
)
_CHUNK = 200
"""Rows sent at once."""


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


class CsvFile(Response):
    """The response that sends a list as a file: RFC 4180, separated by `;` where decimals have a comma, as spreadsheets
    expect there; UTF-8 with a byte order mark, without which they guess the encoding.

    The connection is one of those for long lists; `owner` says whose share of them it counts against. The file of a
    client that reads too slowly is truncated; that of one that has disconnected is read no further.
    """

    def __init__(
        self,
        pool: Pool,
        owner: Hashable,
        name: str,
        header: Sequence[str],
        rows: Rows,
        number_format: NumberFormat = WITH_POINT,
    ) -> None:
        super().__init__()
        self._pool = pool
        self._owner = owner
        self._name = name
        self._header = header
        self._rows = rows
        self._number_format = number_format

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Raises psycopg's errors and Unavailable, if possible before the status goes out; Truncated and
        ClientDisconnect after it."""
        async with connection(self._pool, self._owner) as conn, aclosing(self._rows(conn)) as rows:
            first = await anext(rows, None)
            await send_parts(self._start(), self._parts(first, rows), receive, send)

    async def _parts(
        self, first: Sequence[object] | None, rows: AsyncIterator[Sequence[object]]
    ) -> AsyncGenerator[bytes]:
        begin = [self._header, *([first] if first is not None else [])]
        yield codecs.BOM_UTF8 + encoded(begin, self._number_format)
        chunk: list[Sequence[object]] = []
        async for row in rows:
            chunk.append(row)
            if len(chunk) == _CHUNK:
                yield encoded(chunk, self._number_format)
                chunk = []
        if chunk:
            yield encoded(chunk, self._number_format)

    def _start(self) -> Message:
        return {
            "type": "http.response.start",
            "status": 200,
            "headers": [
                (b"content-type", b"text/csv; charset=utf-8"),
                (b"content-disposition", b'attachment; filename="%b"' % self._name.encode("ascii")),
            ],
        }


def encoded(rows: Sequence[Sequence[object]], number_format: NumberFormat) -> bytes:
    """The lines of a file."""
    text = io.StringIO()
    separator = "," if number_format.decimal == "." else ";"
    csv.writer(text, delimiter=separator).writerows([cell_text(cell, number_format) for cell in row] for row in rows)
    return text.getvalue().encode("utf-8")

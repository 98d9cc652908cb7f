"""Lists as CSV files: of any length, and without cells that a spreadsheet would execute."""

import csv
import io
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Hashable, Sequence
from contextlib import aclosing
from typing import TypeAlias

from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from tonnage.db import Connection, Pool
from tonnage.web.slow_client import send_parts
from tonnage.web.stream_limits import connection

Rows: TypeAlias = Callable[[Connection], AsyncGenerator[Sequence[object]]]
"""The rows of a file, read on a separate connection."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_CHUNK = 200
"""Rows sent at once."""


def escape_formula(cell: object) -> object:
    """Puts an apostrophe before a text that a spreadsheet would take for a formula; numbers stay as they are."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell


class CsvFile(Response):
    """The response that sends a list as a file: RFC 4180, UTF-8 with a byte order mark, without which spreadsheets
    guess the encoding.

    The connection is one of those for long lists; `owner` says whose share of them it counts against. The file of a
    client that reads too slowly is truncated; that of one that has disconnected is read no further.
    """

    def __init__(self, pool: Pool, owner: Hashable, name: str, header: Sequence[str], rows: Rows) -> None:
        super().__init__()
        self._pool = pool
        self._owner = owner
        self._name = name
        self._header = header
        self._rows = rows

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Raises psycopg's errors and Unavailable, if possible before the status goes out; Truncated and
        ClientDisconnect after it."""
        async with connection(self._pool, self._owner) as conn, aclosing(self._rows(conn)) as rows:
            first = await anext(rows, None)
            await send_parts(self._start(), self._parts(first, rows), receive, send)

    async def _parts(
        self, first: Sequence[object] | None, rows: AsyncIterator[Sequence[object]]
    ) -> AsyncGenerator[bytes]:
        yield _encoded([self._header, *([first] if first is not None else [])], "\ufeff")
        chunk: list[Sequence[object]] = []
        async for row in rows:
            chunk.append(row)
            if len(chunk) == _CHUNK:
                yield _encoded(chunk)
                chunk = []
        if chunk:
            yield _encoded(chunk)

    def _start(self) -> Message:
        return {
            "type": "http.response.start",
            "status": 200,
            "headers": [
                (b"content-type", b"text/csv; charset=utf-8"),
                (b"content-disposition", b'attachment; filename="%b"' % self._name.encode("ascii")),
            ],
        }


def _encoded(rows: Sequence[Sequence[object]], before: str = "") -> bytes:
    text = io.StringIO()
    text.write(before)
    csv.writer(text).writerows([escape_formula(cell) for cell in row] for row in rows)
    return text.getvalue().encode("utf-8")

"""Lists as CSV files of any length."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Hashable, Sequence
from contextlib import aclosing
from typing import TypeAlias

from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from tonnage.db import Connection, Pool
from tonnage.web.csv_text import encoded, whole_file
from tonnage.web.number_text import WITH_POINT, NumberFormat
from tonnage.web.slow_client import send_parts
from tonnage.web.stream_limits import connection

Rows: TypeAlias = Callable[[Connection], AsyncGenerator[Sequence[object]]]
"""The rows of a file, read on a separate connection."""

_CHUNK = 200
"""Rows sent at once."""


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
        yield whole_file(begin, self._number_format)
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

"""Lists as CSV files, with a pool of the tests' own."""

import asyncio
import csv
import io
import itertools
import re
from collections.abc import AsyncGenerator, Iterator, Sequence
from decimal import Decimal

import pytest
from fastapi import FastAPI, Request
from httpx import ASGITransport, AsyncClient
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.web.slow_reader import Reader, scope
from tonnage.db import Connection, Database
from tonnage.web.csv_file import CsvFile
from tonnage.web.csv_text import cell_text, encoded, escape_formulas
from tonnage.web.number_text import WITH_POINT, NumberFormat

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@sum", "'@sum"),
        ("\N{FULLWIDTH EQUALS SIGN}1", "'\N{FULLWIDTH EQUALS SIGN}1"),
        ("\N{SMALL COMMERCIAL AT}1", "'\N{SMALL COMMERCIAL AT}1"),
        ("\t1", "'\t1"),
        ("\r=1", "'\r'=1"),
        (' "=1', " \"'=1"),
        ("\N{ZERO WIDTH NO-BREAK SPACE}=1", "\N{ZERO WIDTH NO-BREAK SPACE}'=1"),
        ("x;=cmd|' /C calc'!A0;y", "x;'=cmd|' /C calc'!A0;y"),
        ("a,@b|-c\t+d\n=e\r\n=f", "a,'@b|'-c\t'+d\n'=e\r\n'=f"),
        ('a;;"" =b', 'a;;"" \'=b'),
        ("a\N{LINE SEPARATOR}=b", "a\N{LINE SEPARATOR}'=b"),
    ],
)
def test_a_formula_becomes_a_text(text: str, escaped: str) -> None:
    assert cell_text(text, WITH_POINT) == escaped


@pytest.mark.parametrize("cell", ["Hill", "a=b", "Hill - Dale", "ann@example.org, bob@example.org", "", -5, None])
def test_everything_else_stays(cell: object) -> None:
    assert cell_text(cell, WITH_POINT) == cell


def test_a_long_text_of_separators_is_read_once() -> None:
    """Or this takes hours."""
    text = "\t" * 1_000_000
    assert escape_formulas(text) == f"'{text}"


COMMA = NumberFormat(",")

SIGNS = "=+-@\N{FULLWIDTH EQUALS SIGN}\N{FULLWIDTH PLUS SIGN}\N{FULLWIDTH HYPHEN-MINUS}\N{FULLWIDTH COMMERCIAL AT}"
TEXTS = st.text(st.sampled_from(f'={SIGNS};,\t|\r\n" a'), max_size=6) | st.text(max_size=6)
NUMBERS = st.integers() | st.decimals(allow_nan=False, allow_infinity=False, places=3)
NUMBER = re.compile(r"-?[0-9]+([.,][0-9]+)?")
# A file's first column has no negative numbers: with another separator than the file's, a cell may go on behind one.
ROWS = st.lists(
    st.tuples(TEXTS | st.integers(min_value=0), st.lists(TEXTS | NUMBERS, max_size=4)).map(
        lambda row: [row[0], *row[1]]
    ),
    min_size=1,
    max_size=4,
)


def written(rows: Sequence[Sequence[object]], reader: NumberFormat) -> str:
    return encoded(rows, reader).decode()


def cells(text: str) -> Iterator[str]:
    """As programs read them: with quotes by RFC 4180, and by splitting at everything that may separate."""
    for separator in ";,\t|":
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator):
            yield from row
        for line in text.splitlines():
            yield from line.split(separator)


@settings(max_examples=1000, deadline=None)
@given(ROWS, st.sampled_from([WITH_POINT, COMMA]))
def test_no_cell_is_a_formula_whatever_separates_cells(rows: list[list[object]], reader: NumberFormat) -> None:
    for cell in cells(written(rows, reader)):
        seen = re.sub(r'^[\s"\x00-\x1f]+', "", cell)
        assert not seen.startswith(tuple(SIGNS)) or NUMBER.fullmatch(seen.rstrip('"')), (cell, rows)


@given(ROWS, st.sampled_from([WITH_POINT, COMMA]))
def test_a_file_has_its_rows_where_its_reader_lives(rows: list[list[object]], reader: NumberFormat) -> None:
    separator = {".": ",", ",": ";"}[reader.decimal]
    read = list(csv.reader(io.StringIO(written(rows, reader), newline=""), delimiter=separator))
    assert len(read) == len(rows)
    for cells, row in zip(read, rows, strict=True):
        for cell, value in zip(cells, row, strict=True):
            if isinstance(value, str):
                assert cell.replace("'", "") == value.replace("'", "")
            else:
                assert Decimal(cell.replace(reader.decimal, ".")) == value


async def test_a_file_of_any_length_comes_whole(database: Database) -> None:
    app = FastAPI()

    async def rows(conn: Connection) -> AsyncGenerator[Sequence[object]]:
        for number in range(1001):
            yield number, '=cmd|" /c calc"', "Zoë, \N{SNOWMAN}\n"

    @app.get("/file")
    async def file() -> CsvFile:  # pyright: ignore[reportUnusedFunction]  registered by its decorator
        return CsvFile(database.streams, "somebody", "list.csv", ["Number", "Formula", "Text"], rows)

    async with AsyncClient(transport=ASGITransport(app), base_url="http://web") as http:
        sent = await http.get("/file")
    assert sent.headers["content-disposition"] == 'attachment; filename="list.csv"'
    assert sent.headers["content-type"] == "text/csv; charset=utf-8"
    read = list(csv.reader(io.StringIO(sent.content.decode("utf-8-sig"), newline="")))
    assert read[0] == ["Number", "Formula", "Text"]
    assert read[1:] == [[str(number), '\'=cmd|" /c calc"', "Zoë, \N{SNOWMAN}\n"] for number in range(1001)]
    assert sent.content.startswith(b"\xef\xbb\xbf")


async def test_an_empty_list_is_a_file_with_a_header(database: Database) -> None:
    app = FastAPI()

    async def none(conn: Connection) -> AsyncGenerator[Sequence[object]]:
        return
        yield ()

    @app.get("/file")
    async def file() -> CsvFile:  # pyright: ignore[reportUnusedFunction]  registered by its decorator
        return CsvFile(database.streams, "somebody", "list.csv", ["Name"], none)

    async with AsyncClient(transport=ASGITransport(app), base_url="http://web") as http:
        assert (await http.get("/file")).content.decode("utf-8-sig") == "Name\r\n"


async def test_a_file_whose_client_has_disconnected_is_read_no_further(bare: FastAPI, database: Database) -> None:
    """Otherwise it would hold one of its organisation's connections for long lists to its end."""

    async def endless(conn: Connection) -> AsyncGenerator[Sequence[object]]:
        for number in itertools.count():
            yield (number,)

    async def serve(_: Request) -> CsvFile:
        return CsvFile(database.streams, "somebody", "list.csv", ["Number"], endless)

    bare.add_route("/", serve)
    client = Reader(3, hangs_up=True)
    async with asyncio.timeout(10):
        await bare(scope("/"), client.receive, client.send)
    assert client.taken[-1].get("more_body") is True

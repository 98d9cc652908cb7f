"""Lists as CSV files, with a pool of the tests' own."""

import csv
import io
from collections.abc import AsyncGenerator, Sequence

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient

from tonnage.db import Connection, Database
from tonnage.web.csv_file import CsvFile, escape_formula

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@sum", "\t=1", "\r=1"])
def test_a_formula_becomes_a_text(cell: str) -> None:
    assert escape_formula(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["Hill", "a=b", "", -5, None])
def test_everything_else_stays(cell: object) -> None:
    assert escape_formula(cell) == cell


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

"""Lists as CSV files, with a pool of the tests' own."""

import asyncio
import csv
import io
import itertools
from collections.abc import AsyncGenerator, Sequence

import pytest
from fastapi import FastAPI, Request
from httpx import ASGITransport, AsyncClient

from tests.web.slow_reader import Reader, scope
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

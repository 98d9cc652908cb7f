import asyncio
import base64
import re
from collections.abc import AsyncGenerator, MutableMapping
from contextlib import asynccontextmanager
from typing import Any, LiteralString

import httpx
import pytest
import uvicorn
from fastapi import APIRouter, FastAPI, Request
from starlette.responses import Response

from tests.web.slow_reader import COUNTING, Reader, scope
from tonnage.db import Database, ListQuery, connect
from tonnage.errors import NotFound
from tonnage.web.json_list import JsonListResponse, Page, Paging, TransferLimits
from tonnage.web.routing import ApiRoute, mount
from tonnage.web.schemas import UuidPath

pytestmark = pytest.mark.anyio

# A function in FROM is executed completely before its first row is returned; in the select list it is not.
ENDLESS: LiteralString = "select n, json_build_object('n', n) from (select generate_series(1, 1000000000000) n) as s"
BREAKING: LiteralString = "select n, json_build_object('n', 1 / (5000 - n)) from generate_series(1, 10000) n"
EXISTING: LiteralString = "select 0, null::json where %(count)s = 0"
NAMES = ['O"Neill \\', "Zeile\n\t\x01", "🚀", "שלום", "</script>"]


@pytest.fixture
async def database(conninfo: str) -> AsyncGenerator[Database]:
    """One connection for lists, so that the next list fails if one keeps it."""
    async with connect(conninfo, streams=1) as opened:
        yield opened


@pytest.fixture
def lengths() -> list[int]:
    """The length of the list /shrinking."""
    return [9]


@pytest.fixture
def lists(bare: FastAPI, database: Database, lengths: list[int]) -> FastAPI:
    routes = APIRouter(route_class=ApiRoute)

    @routes.get("/shrinking")
    async def shrinking(page: Paging) -> Response:
        return JsonListResponse(database.streams, page, ListQuery(COUNTING, {"count": lengths[0]}))

    @routes.get("/count/{count}")
    async def count(count: int, page: Paging) -> Response:
        return JsonListResponse(database.streams, page, ListQuery(COUNTING, {"count": count}))

    @routes.get("/of/{count}")
    async def of_something(count: int, page: Paging) -> Response:
        return JsonListResponse(
            database.streams, page, ListQuery(EXISTING, {"count": count}), NotFound("There is no such thing.")
        )

    @routes.get("/broken")
    async def broken(page: Paging) -> Response:
        return JsonListResponse(database.streams, page, ListQuery(BREAKING, {}))

    @routes.get("/endless")
    async def endless(page: Paging) -> Response:
        return JsonListResponse(database.streams, page, ListQuery(ENDLESS, {}))

    @routes.get("/names")
    async def names(page: Paging) -> Response:
        texts = "select n, to_json(name) from unnest(%(names)s::text[]) with ordinality as t (name, n)"
        return JsonListResponse(database.streams, page, ListQuery(texts, {"names": NAMES}))

    @routes.get("/strict/{id}")
    async def strict(id: UuidPath, page: Paging) -> Response:
        return JsonListResponse(database.streams, page, ListQuery(COUNTING, {"count": 1}))

    mount(bare, routes)
    return bare


@pytest.fixture
async def client(lists: FastAPI) -> AsyncGenerator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(lists), base_url="http://t") as http:
        yield http


async def cursor_of(client: httpx.AsyncClient, url: str) -> str:
    """The cursor in the link of a page to the next one."""
    link = (await client.get(url)).headers["link"]
    return httpx.URL(link.partition("<")[2].partition(">")[0]).params["cursor"]


@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 200, 201, 10_000])
async def test_the_whole_list(client: httpx.AsyncClient, count: int) -> None:
    response = await client.get(f"/count/{count}")
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert ("content-length" in response.headers) is (count <= 100)
    assert "link" not in response.headers
    assert [element["n"] for element in response.json()] == list(range(1, count + 1))


async def test_names_survive(client: httpx.AsyncClient) -> None:
    assert (await client.get("/names")).json() == NAMES


@pytest.mark.parametrize("query", ["", "?limit=10"])
async def test_no_row_is_no_object_and_a_row_without_json_is_an_empty_list(
    client: httpx.AsyncClient, query: str
) -> None:
    assert (await client.get(f"/of/0{query}")).json() == []
    missing = await client.get(f"/of/1{query}")
    assert missing.status_code == 404
    assert missing.json()["detail"] == "There is no such thing."


async def test_head_reads_only_the_beginning(client: httpx.AsyncClient) -> None:
    """Of a list without an end; and its connection, the only one, is there for the next list."""
    for _ in range(2):
        head = await client.head("/endless")
        assert (head.status_code, head.headers["content-type"], head.content) == (200, "application/json", b"")
        assert (await client.head("/of/1")).status_code == 404
    assert len((await client.get("/count/10000")).json()) == 10_000


async def test_pages(client: httpx.AsyncClient) -> None:
    seen: list[int] = []
    sizes: list[int] = []
    url = "/count/25?limit=10&x=a%26b%20c&empty="
    while url:
        response = await client.get(url)
        numbers = [element["n"] for element in response.json()]
        sizes.append(len(numbers))
        seen += numbers
        link = re.fullmatch(r'<([^>]+)>; rel="next"', response.headers.get("link", ""))
        url = link[1] if link else ""
        assert not url or {**httpx.URL(url).params, "cursor": ""} == {
            "limit": "10",
            "x": "a&b c",
            "empty": "",
            "cursor": "",
        }
    assert seen == list(range(1, 26))
    assert sizes == [10, 10, 5]


@pytest.mark.parametrize("public_url", [None, "https://console.example.com"])
async def test_links_are_absolute(lists: FastAPI, client: httpx.AsyncClient, public_url: str | None) -> None:
    lists.state.public_url = public_url
    for host, scheme in (("t", "http"), ("127.0.0.1:8080", "http"), ("[::1]:8443", "https")):
        link = (await client.get(f"{scheme}://{host}/count/5?limit=2")).headers["link"]
        assert link.startswith(f"<{public_url or f'{scheme}://{host}'}/count/5?limit=2&cursor="), link


async def test_only_the_new_cursor_is_in_the_next_link(client: httpx.AsyncClient) -> None:
    cursor = await cursor_of(client, "/count/9?limit=2")
    for old in (f"cursor={cursor}", f"cursor=x&cursor={cursor}", f"%63ursor={cursor}", f"cursor={cursor}&limit=7"):
        response = await client.get(f"/count/9?limit=3&{old}&limit=3")
        assert [element["n"] for element in response.json()] == [3, 4, 5]
        query = httpx.URL(response.headers["link"].partition("<")[2].partition(">")[0]).params.multi_items()
        assert [name for name, _ in query] == ["limit", "cursor"]
        assert query[1][1] != cursor


async def test_a_cursor_tells_nothing_and_is_good_for_its_list_alone(client: httpx.AsyncClient) -> None:
    cursor = await cursor_of(client, "/count/5?limit=2")
    assert await cursor_of(client, "/count/5?limit=2&x=1") == cursor
    assert len(base64.urlsafe_b64decode(cursor)) == 8 + 16
    assert base64.urlsafe_b64decode(cursor)[16:] != (2).to_bytes(8)
    assert (await client.get(f"/COUNT/5?cursor={cursor}")).status_code == 404
    assert (await client.get(f"/count/5?cursor={cursor}")).json() == [{"n": 3}, {"n": 4}, {"n": 5}]
    other = await client.get(f"/count/6?cursor={cursor}")
    assert (other.status_code, other.json()["detail"]) == (400, "cursor: is not from a Link header of this list")
    for place in range(len(cursor)):
        mangled = cursor[:place] + ("A" if cursor[place] != "A" else "B") + cursor[place + 1 :]
        assert (await client.get(f"/count/5?cursor={mangled}")).status_code == 400


async def test_after_the_end_there_is_an_empty_page(client: httpx.AsyncClient, lengths: list[int]) -> None:
    cursor = await cursor_of(client, "/shrinking?limit=5")
    lengths[0] = 5
    for query in ("", "&limit=5"):
        response = await client.get(f"/shrinking?cursor={cursor}{query}")
        assert (response.status_code, response.json(), "link" in response.headers) == (200, [], False)


async def test_a_last_page_that_is_full_has_no_next(client: httpx.AsyncClient) -> None:
    response = await client.get("/count/1000?limit=1000")
    assert len(response.json()) == 1000
    assert "link" not in response.headers


@pytest.mark.parametrize(
    ("query", "status"),
    [
        *((f"limit={limit}", 422) for limit in ("0", "-1", "1001", "9" * 18)),
        *((f"limit={limit}", 400) for limit in ("", "x", "1.0", "9" * 5000, "%D9%A1", "1_0")),
        *((f"cursor={cursor}", 400) for cursor in ("", "x", "!!!!", "MQ", "%00", "9" * 5000, "A" * 32)),
    ],
)
async def test_bad_pages(client: httpx.AsyncClient, query: str, status: int) -> None:
    response = await client.get(f"/count/5?{query}")
    assert response.status_code == status, response.text
    assert response.json()["errors"][0]["field"] == query.partition("=")[0]
    malformed = await client.get(f"/strict/1?{query}")
    assert malformed.status_code == 400


async def test_a_slow_reader_is_cut_and_the_connection_goes_back(bare: FastAPI, database: Database) -> None:
    async def serve(_: Request) -> Response:
        return JsonListResponse(database.streams, Page(), ListQuery(ENDLESS, {}), limits=TransferLimits(chunk=0.2))

    bare.add_route("/", serve)
    reader = Reader(3, hangs_up=False)
    async with asyncio.timeout(10):
        await bare(scope("/"), reader.receive, reader.send)
    assert reader.taken[-1].get("more_body") is True
    assert await one(database) == (1,)


class SlowReader(Reader):
    """Takes every chunk, each a little late."""

    async def send(self, message: MutableMapping[str, Any]) -> None:
        await asyncio.sleep(0.01)
        self.taken.append(message)


@pytest.mark.parametrize(("rate", "whole"), [(1e12, False), (1.0, True)])
async def test_a_reader_is_bounded_by_its_rate_over_the_whole_list(
    bare: FastAPI, database: Database, caplog: pytest.LogCaptureFixture, rate: float, whole: bool
) -> None:
    limits = TransferLimits(chunk=60, grace=0.2, rate=rate)

    async def serve(_: Request) -> Response:
        return JsonListResponse(database.streams, Page(), ListQuery(COUNTING, {"count": 10_000}), limits=limits)

    bare.add_route("/", serve)
    reader = SlowReader(0, hangs_up=False)
    await bare(scope("/"), reader.receive, reader.send)
    assert reader.taken[-1].get("more_body", False) is not whole
    assert ("a list was cut" in caplog.text) is not whole
    assert await one(database) == (1,)


def test_the_send_limits() -> None:
    limits = TransferLimits()
    assert limits.left(0, 0) == 10
    assert limits.left(50, 64 * 1024 * 50) == 10
    assert limits.left(50, 64 * 1024 * 40) == 0
    assert limits.left(10, 64 * 1024 * 1000) == 60


async def test_a_reader_that_hangs_up_ends_the_query(lists: FastAPI, database: Database) -> None:
    reader = Reader(3, hangs_up=True)
    async with asyncio.timeout(10):
        await lists(scope("/endless"), reader.receive, reader.send)
    assert reader.taken[-1].get("more_body") is True
    assert await one(database) == (1,)


async def test_a_cancelled_request_gives_the_connection_back(lists: FastAPI, database: Database) -> None:
    reader = Reader(3, hangs_up=False)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await lists(scope("/endless"), reader.receive, reader.send)
    assert await one(database) == (1,)


async def one(database: Database) -> tuple[Any, ...] | None:
    async with database.streams.connection(timeout=5) as connection:
        return await (await connection.execute("select 1")).fetchone()


async def test_an_error_in_the_middle_is_no_valid_list(lists: FastAPI, database: Database) -> None:
    async with serving(lists) as url, httpx.AsyncClient(base_url=url) as http:
        with pytest.raises(httpx.RemoteProtocolError):
            await http.get("/broken")
        assert (await http.get("/count/101")).json()[-1] == {"n": 101}
    assert await one(database) == (1,)


async def test_a_client_that_disconnects_from_a_real_server(lists: FastAPI, database: Database) -> None:
    async with serving(lists) as url, httpx.AsyncClient(base_url=url) as http:
        async with http.stream("GET", "/endless") as response:
            assert response.status_code == 200
            assert (await anext(response.aiter_raw())).startswith(b'[{"n" : 1},')
        assert await one(database) == (1,)


@asynccontextmanager
async def serving(app: FastAPI) -> AsyncGenerator[str]:
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="critical", lifespan="off", ws="none"))
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    await task

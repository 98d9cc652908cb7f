"""The number of the connections for long lists that one organisation may hold."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Annotated

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI, Request
from starlette.responses import Response

from tests.web.slow_reader import COUNTING, Reader, scope
from tonnage.db import Database, ListQuery, connect
from tonnage.web.json_list import JsonListResponse, Paging
from tonnage.web.routing import ApiRoute, AuthDependency, mount
from tonnage.web.stream_limits import owners

pytestmark = pytest.mark.anyio


@dataclass(frozen=True)
class Actor:
    organisation_id: str


@dataclass(frozen=True)
class Call:
    """As the guard of a feature returns it."""

    actor: Actor
    database: Database


@pytest.fixture
async def shared(bare: FastAPI, conninfo: str) -> AsyncGenerator[Database]:
    """Lists of `bare` for the organisation that the header names, on a pool of four."""

    async def admit(request: Request) -> Call:
        return Call(Actor(request.headers["authorization"]), opened)

    routes = APIRouter(route_class=ApiRoute)

    @routes.get("/count/{count}")
    async def count(call: Annotated[Call, Depends(AuthDependency(admit))], count: int, page: Paging) -> Response:
        return JsonListResponse(opened.streams, page, ListQuery(COUNTING, {"count": count}))

    mount(bare, routes)
    async with connect(conninfo, streams=4) as opened:
        yield opened


def start(app: FastAPI, organisation: bytes) -> "tuple[Reader, asyncio.Task[None]]":
    reader = Reader(3, hangs_up=False)
    asked = scope("/count/100000") | {"headers": [(b"authorization", organisation)]}
    return reader, asyncio.create_task(app(asked, reader.receive, reader.send))


async def until_it_reads(reader: Reader) -> None:
    async with asyncio.timeout(10):
        while len(reader.taken) < 3:  # noqa: ASYNC110 - a list has no event for it
            await asyncio.sleep(0.01)


async def test_one_organisation_has_half_of_the_connections(bare: FastAPI, shared: Database) -> None:
    shared.streams.timeout = 30
    begun = [start(bare, b"slow") for _ in range(2)]
    for reader, _ in begun:
        await until_it_reads(reader)
    transport = httpx.ASGITransport(bare)
    async with httpx.AsyncClient(transport=transport, base_url="http://t", headers={"authorization": "slow"}) as http:
        shared.streams.timeout = 0.3
        refused = await http.get("/count/100000")
        shared.streams.timeout = 30
        assert refused.status_code == 503
        assert refused.headers["retry-after"] == "5"
        assert refused.json()["detail"].startswith("Your organisation is already reading the maximum")
        assert len((await http.get("/count/100000", headers={"authorization": "other"})).json()) == 100_000
        waiting = asyncio.create_task(http.get("/count/100000"))
        begun[0][1].cancel()
        assert len((await waiting).json()) == 100_000
    begun[1][1].cancel()
    await asyncio.wait([task for _, task in begun])


async def test_of_readers_that_are_gone_nothing_is_left(bare: FastAPI, shared: Database) -> None:
    """In each case: read to the end, refused, or cancelled while reading or waiting."""
    transport = httpx.ASGITransport(bare)
    async with httpx.AsyncClient(transport=transport, base_url="http://t") as http:
        for number in range(50):
            assert (await http.get("/count/2000", headers={"authorization": f"o{number}"})).status_code == 200
        assert owners(shared.streams) == 0
        shared.streams.timeout = 30
        begun = [start(bare, organisation) for organisation in (b"first", b"first", b"second", b"second")]
        for reader, _ in begun:
            await until_it_reads(reader)
        assert owners(shared.streams) == 2
        shared.streams.timeout = 0.2
        for number in range(20):  # there is no free connection
            assert (await http.get("/count/2000", headers={"authorization": f"o{number}"})).status_code == 503
        assert (await http.get("/count/2000", headers={"authorization": "first"})).status_code == 503
        shared.streams.timeout = 30
        waiting = [start(bare, b"first")[1], start(bare, b"third")[1]]
        async with asyncio.timeout(10):
            while owners(shared.streams) < 3:  # noqa: ASYNC110 - there is no event for a waiting request
                await asyncio.sleep(0.01)
        tasks = [task for _, task in begun] + waiting
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    assert owners(shared.streams) == 0


async def test_pages_and_short_lists_need_no_connection_of_the_streams(bare: FastAPI, shared: Database) -> None:
    headers = {"authorization": "x"}
    async with AsyncExitStack() as taken:
        for _ in range(4):
            await taken.enter_async_context(shared.streams.connection())
        transport = httpx.ASGITransport(bare)
        http = httpx.AsyncClient(transport=transport, base_url="http://t", headers=headers)
        await taken.enter_async_context(http)
        assert len((await http.get("/count/1000")).json()) == 1000
        page = await http.get("/count/100000?limit=1000")
        assert len(page.json()) == 1000
        assert "link" in page.headers

"""The whole application on a server that is frozen for a while: answers in time, and no restart afterwards."""

import asyncio
from collections.abc import AsyncGenerator, Generator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
import psycopg
import pytest

from tests.api.conftest import CHEAP, Clock
from tests.cast import Cast
from tests.clocks import clocks
from tests.frozen import FreezableServer, freezable_server
from tonnage.asgi import create_app
from tonnage.db import connect
from tonnage.passwords import Passwords
from tonnage.web.problem import IN_DOUBT, NO_DATABASE

pytestmark = pytest.mark.anyio

CALLS = 6
"""Of each kind at once: together more than there are connections."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Generator[FreezableServer]:
    with freezable_server(tmp_path_factory.mktemp("freezable")) as server:
        yield server


@dataclass
class Trade:
    """What a distributor's client does."""

    http: httpx.AsyncClient
    key: str
    contract: UUID

    async def call(self, method: str, path: str, **more: Any) -> httpx.Response:
        return await self.http.request(method, path, headers={"Authorization": f"Bearer {self.key}"}, **more)

    async def all_at_once(self) -> list[httpx.Response]:
        """Changes first, so that they get the connections that there are; then reads, and whole lists."""
        partner = {"name": "Frozen", "allocatedCapacity": 1, "distributorContractId": str(self.contract)}
        calls = [
            *(self.call("POST", "/v1/partner", json=partner) for _ in range(CALLS)),
            *(self.call("GET", "/v1/contract/list") for _ in range(CALLS)),
            *(self.call("GET", f"/v1/contract/{self.contract}/partners") for _ in range(CALLS)),
            self.call("GET", "/readyz"),
        ]
        return await asyncio.gather(*calls)


@pytest.fixture
async def data(server: FreezableServer) -> AsyncGenerator[Trade]:
    """The clock stands still, so a key that was used is known: what is frozen is the operation itself."""
    async with connect(server.conninfo) as database:
        cast = await Cast.of(database)
        distributor = await cast.distributor()
        key, contract = await cast.key(distributor), await cast.contract(distributor)
    app = create_app(server.conninfo, **clocks(Clock()), passwords=Passwords(CHEAP))
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://tonnage") as http,
    ):
        yield Trade(http, key, contract)
        server.thaw()


def backends(server: FreezableServer) -> set[int]:
    with psycopg.connect(server.conninfo) as conn:
        query = "select pid from pg_stat_activity where application_name like 'tonnage %'"
        return {pid for (pid,) in conn.execute(query).fetchall()}


async def test_answers_in_time_and_goes_on_afterwards(server: FreezableServer, data: Trade) -> None:
    warm = await data.all_at_once()
    assert {answer.status_code for answer in warm} == {200, 201}
    before = backends(server)
    assert len(before) > 1

    server.freeze()
    # Eight seconds, and some for a machine that is busy.
    async with asyncio.timeout(20):
        cold = await data.all_at_once()
    assert [(answer.status_code, answer.headers["retry-after"]) for answer in cold] == [(503, "5")] * len(cold)
    of_reads = {answer.json()["detail"] for answer in cold if answer.request.method == "GET"}
    of_changes = [answer.json()["detail"] for answer in cold if answer.request.method == "POST"]
    assert of_reads == {NO_DATABASE}
    assert IN_DOUBT in of_changes
    assert set(of_changes) <= {IN_DOUBT, NO_DATABASE}, "without a connection nothing was asked for"

    server.thaw()
    again = await data.all_at_once()
    assert {answer.status_code for answer in again} == {200, 201}
    async with asyncio.timeout(60):
        while backends(server) & before:
            await data.call("GET", "/readyz")
    # What was in identity_unverified was done: the statement lay in the socket of a process that could not read it.
    listed = (await data.call("GET", f"/v1/contract/{data.contract}/partners")).json()
    assert len(listed) == CALLS + of_changes.count(IN_DOUBT) + CALLS

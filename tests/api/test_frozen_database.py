"""The whole application on a temporarily frozen server: it answers in time, and needs no restart afterwards."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
import psycopg
import pytest

from tests.api.conftest import CHEAP, Clock
from tests.cast import Cast
from tests.clocks import clocks
from tests.frozen import FreezableServer
from tonnage.asgi import create_app
from tonnage.db import connect
from tonnage.db.connection_limits import BUSY
from tonnage.passwords import Passwords
from tonnage.web.problem import IN_DOUBT, NO_DATABASE

pytestmark = pytest.mark.anyio

CALLS = 6
"""Concurrent requests of each kind: together more than there are connections."""


@dataclass
class DistributorData:
    """API access for a distributor."""

    http: httpx.AsyncClient
    key: str
    contract: UUID

    async def call(self, method: str, path: str, **more: Any) -> httpx.Response:
        return await self.http.request(method, path, headers={"Authorization": f"Bearer {self.key}"}, **more)

    async def all_at_once(self) -> list[httpx.Response]:
        """Changes first, so that they get the available connections; then reads, and whole lists."""
        partner = {"name": "Frozen", "allocatedCapacity": 1, "distributorContractId": str(self.contract)}
        calls = [
            *(self.call("POST", "/v1/partner", json=partner) for _ in range(CALLS)),
            *(self.call("GET", "/v1/contract/list") for _ in range(CALLS)),
            *(self.call("GET", f"/v1/contract/{self.contract}/partners") for _ in range(CALLS)),
            self.call("GET", "/readyz"),
        ]
        return await asyncio.gather(*calls)


@pytest.fixture
async def data(freezable: FreezableServer) -> AsyncGenerator[DistributorData]:
    """The clock stands still, so a key that was used stays cached: the statement that is frozen is the operation's."""
    async with connect(freezable.conninfo) as database:
        cast = await Cast.of(database)
        distributor = await cast.distributor()
        key, contract = await cast.key(distributor), await cast.contract(distributor)
    app = create_app(freezable.conninfo, **clocks(Clock()), passwords=Passwords(CHEAP))
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://tonnage") as http,
    ):
        yield DistributorData(http, key, contract)
        freezable.thaw()


def backends(freezable: FreezableServer) -> set[int]:
    with psycopg.connect(freezable.conninfo) as conn:
        query = "select pid from pg_stat_activity where application_name like 'tonnage %'"
        return {pid for (pid,) in conn.execute(query).fetchall()}


async def test_answers_in_time_and_goes_on_afterwards(freezable: FreezableServer, data: DistributorData) -> None:
    # Until the pool has opened a second connection: a fast one may have served all calls of the first round.
    warm = await data.all_at_once()
    async with asyncio.timeout(60):
        while len(before := backends(freezable)) < 2:
            warm += await data.all_at_once()
    assert {answer.status_code for answer in warm} == {200, 201}

    freezable.freeze()
    # Eight seconds, and a margin for a busy machine.
    async with asyncio.timeout(20):
        cold = await data.all_at_once()
    assert [(answer.status_code, answer.headers["retry-after"]) for answer in cold] == [(503, "5")] * len(cold)
    of_reads = {answer.json()["detail"] for answer in cold if answer.request.method == "GET"}
    of_changes = [answer.json()["detail"] for answer in cold if answer.request.method == "POST"]
    # Those beyond the limit of an organisation did not get as far as the database.
    assert NO_DATABASE in of_reads
    assert of_reads <= {NO_DATABASE, BUSY}
    assert IN_DOUBT in of_changes
    assert set(of_changes) <= {IN_DOUBT, NO_DATABASE, BUSY}, "without a connection nothing was asked for"

    freezable.thaw()
    again = await data.all_at_once()
    assert {answer.status_code for answer in again} == {200, 201}
    async with asyncio.timeout(60):
        while backends(freezable) & before:
            await data.call("GET", "/readyz")
    # A change in doubt was executed or not: a statement in the socket's buffer is executed by the backend once it
    # continues; a statement that was only being prepared is not.
    listed = (await data.call("GET", f"/v1/contract/{data.contract}/partners")).json()
    confirmed = [answer for answer in [*warm, *again] if answer.status_code == 201]
    assert len(confirmed) <= len(listed) <= len(confirmed) + of_changes.count(IN_DOUBT)

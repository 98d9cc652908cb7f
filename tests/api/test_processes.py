"""Two server processes on one database: one's state in memory never makes the other's answers wrong."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import httpx
import pytest

from tests.api.conftest import CHEAP, AccountData, AppClient
from tests.cast import NOW, TB
from tests.clocks import clocks
from tonnage.api_keys.actions import revoke_key
from tonnage.asgi import create_app
from tonnage.passwords import Passwords

pytestmark = pytest.mark.anyio


@pytest.fixture
async def other(client: AppClient, conninfo: str) -> AsyncGenerator[AppClient]:
    """A second process: its own pools, its own cache of keys, the same database and clock."""
    app = create_app(conninfo, **clocks(client.clock), passwords=Passwords(CHEAP))
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(app.router.lifespan_context(app))
        http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://other")
        yield replace(client, app=app, http=await stack.enter_async_context(http), stack=stack, browsers={})


async def test_two_processes_do_not_oversell(client: AppClient, other: AppClient) -> None:
    distributor = await client.cast.distributor()
    contract = await client.cast.contract(distributor, 10 * TB)
    key = await client.key(distributor)

    async def buy(at: AppClient, number: int) -> int:
        body = {"name": f"Partner {number}", "allocatedCapacity": TB, "distributorContractId": str(contract)}
        return (await at.call("POST", "/v1/partner", key, json=body)).status_code

    answers = await asyncio.gather(*(buy(at, number) for number in range(12) for at in (client, other)))
    assert sorted(answers) == [201] * 10 + [409] * 14


async def test_a_change_by_one_process_is_seen_by_the_other(
    client: AppClient, other: AppClient, data: AccountData
) -> None:
    key = await client.key(data.distributor)
    path = f"/v1/partner/{data.partner.organisation_id}"
    for name, writer, reader in (("First", client, other), ("Second", other, client)):
        await writer.call("PUT", path, key, json={"name": name})
        assert (await reader.call("GET", path, key)).json()["name"] == name


async def test_a_key_that_is_revoked_at_one_ends_at_the_other_within_a_second(
    client: AppClient, other: AppClient
) -> None:
    distributor = await client.cast.distributor()
    key = await client.cast.key(distributor)
    for at in (client, other):
        assert (await at.call("GET", "/v1/contract/list", key)).status_code == 200
    (number,) = await client.cast.row("select id from api_key where organisation_id = %s", distributor.organisation_id)
    assert isinstance(number, UUID)
    await client.cast.database.run(revoke_key, client.cast.operator, number, NOW)
    client.clock.now = NOW + timedelta(seconds=1)
    for at in (client, other):
        assert (await at.call("GET", "/v1/contract/list", key)).status_code == 401

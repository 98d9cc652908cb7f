"""Traffic in the API."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import httpx
import pytest

from tests.cast import Cast
from tests.clocks import clocks
from tests.usage.steps import LATER, PartnerData, at, partner_data, purge
from tonnage.access.actor import Actor, Role
from tonnage.asgi import create_app
from tonnage.metering import traffic_actions
from tonnage.storage.backend import Traffic

pytestmark = pytest.mark.anyio

DAYS = {"from": "2026-01-05", "to": "2026-01-07"}


@asynccontextmanager
async def serving(conninfo: str) -> AsyncGenerator[httpx.AsyncClient]:
    app = create_app(conninfo, **clocks(lambda: LATER))
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://t/ext/v1") as http,
    ):
        yield http


@pytest.fixture
async def client(conninfo: str) -> AsyncGenerator[httpx.AsyncClient]:
    async with serving(conninfo) as http:
        yield http


@pytest.fixture
async def data(cast: Cast) -> PartnerData:
    return await partner_data(cast)


async def bearer(cast: Cast, actor: Actor) -> dict[str, str]:
    return {"Authorization": f"Bearer {await cast.key(actor, Role.VIEWER)}"}


async def store_traffic(cast: Cast, account: int, *rows: tuple[str, int, int, int]) -> None:
    (region,) = await cast.row("select region_id from storage_account where id = %s", account)
    read = [Traffic(account, at(day, "09:00:00"), *counts) for day, *counts in rows]
    await traffic_actions.store(cast.database, region, read, LATER)


async def test_traffic_of_an_account(cast: Cast, client: httpx.AsyncClient, data: PartnerData) -> None:
    account, idle = await cast.account(data.partner), await cast.account(data.partner)
    await store_traffic(
        cast, account, ("2026-01-04", 1, 1, 1), ("2026-01-05", 5, 50, 500), ("2026-01-07", 7, 70, 2**63 - 1)
    )
    above = f"/partner/{data.partner.organisation_id}"
    expected = [
        {"date": "2026-01-05", "egress": 5, "ingress": 50, "requests": 500},
        {"date": "2026-01-07", "egress": 7, "ingress": 70, "requests": 2**63 - 1},
    ]
    for path, actor, days in (
        (f"/storage-account/{account}/traffic", data.partner, expected),
        (f"{above}/storage-accounts/{account}/traffic", data.distributor, expected),
        (f"/storage-account/{idle}/traffic", data.partner, []),
    ):
        answer = await client.get(path, params=DAYS, headers=await bearer(cast, actor))
        assert (answer.status_code, answer.json()["daily_traffic"]) == (200, days)
        assert answer.json().keys() == {"client_id", "name", "daily_traffic"}
        assert answer.json()["client_id"] in path
        assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("days", "status", "fields"),
    [
        ({}, 422, ["from", "to"]),
        ({"from": "2026-01-05", "to": "2026-02-30"}, 400, ["to"]),
        ({"from": "2026-01-07", "to": "2026-01-06"}, 422, ["from", "to"]),
        ({"from": "2026-01-05", "to": "2027-02-09"}, 422, ["from", "to"]),
    ],
)
async def test_bad_periods(
    cast: Cast, client: httpx.AsyncClient, data: PartnerData, days: dict[str, str], status: int, fields: list[str]
) -> None:
    headers = await bearer(cast, data.partner)
    answer = await client.get("/storage-account/123456789012/traffic", params=days, headers=headers)
    assert answer.status_code == status, answer.text
    assert [error["field"] for error in answer.json()["errors"]] == fields


async def test_other_organisations_traffic_is_not_found(
    cast: Cast, client: httpx.AsyncClient, data: PartnerData
) -> None:
    stranger = await partner_data(cast)
    account, gone = await cast.account(data.partner), await cast.account(data.partner)
    await store_traffic(cast, gone, ("2026-01-05", 1, 1, 1))
    await purge(cast, data.partner, gone, at("2026-01-06", "12:00:00"))
    above, foreign = (f"/partner/{one.partner.organisation_id}/storage-accounts" for one in (data, stranger))
    for path, actor, status in (
        (f"/storage-account/{account}/traffic", stranger.partner, 404),
        (f"{above}/{account}/traffic", stranger.distributor, 404),
        (f"{foreign}/{account}/traffic", stranger.distributor, 404),
        (f"/storage-account/{account}/traffic", data.distributor, 403),
        (f"{above}/{account}/traffic", data.partner, 403),
        ("/storage-account/12345/traffic", data.partner, 404),
        # As with usage, the past of a purged account remains visible.
        (f"/storage-account/{gone}/traffic", data.partner, 200),
    ):
        answer = await client.get(path, params=DAYS, headers=await bearer(cast, actor))
        assert answer.status_code == status, (path, answer.text)
    later = {"from": "2026-01-07", "to": "2026-01-08"}
    headers = await bearer(cast, data.partner)
    answer = await client.get(f"/storage-account/{gone}/traffic", params=later, headers=headers)
    assert answer.status_code == 404

"""The four reports in the API."""

from collections.abc import AsyncGenerator
from datetime import timedelta

import httpx
import pytest

from tests.cast import Cast
from tests.clocks import clocks
from tests.usage.steps import LATER, PartnerData, at, partner_data, purge, record
from tonnage.access.actor import Role
from tonnage.asgi import create_app

pytestmark = pytest.mark.anyio

DAYS = {"from": "2026-01-05", "to": "2026-01-06"}
POINTS = [
    {"date": "2026-01-05", "allocated_capacity": 0, "usage": 0},
    {"date": "2026-01-06", "allocated_capacity": 0, "usage": 6},
]


@pytest.fixture
async def client(conninfo: str) -> AsyncGenerator[httpx.AsyncClient]:
    app = create_app(conninfo, **clocks(lambda: LATER))
    transport = httpx.ASGITransport(app)
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url="http://t/v1") as http:
        yield http


@pytest.fixture
async def data(cast: Cast) -> PartnerData:
    return await partner_data(cast)


async def bearer(cast: Cast, data: PartnerData, kind: str = "partner") -> dict[str, str]:
    key = await cast.key(data.partner if kind == "partner" else data.distributor, Role.VIEWER)
    return {"Authorization": f"Bearer {key}"}


async def test_all_four_reports(cast: Cast, client: httpx.AsyncClient, data: PartnerData) -> None:
    account = await cast.account(data.partner, name="Acme")
    await record(cast, (account, at("2026-01-06"), 6))
    element = {"client_id": str(account), "name": "Acme", "allocated_capacity": 0, "daily_usage": POINTS}
    above, own = f"/partner/{data.partner.organisation_id}", await bearer(cast, data)
    for path, headers, expected in (
        ("/storage-accounts/usage", own, [element]),
        (f"/storage-account/{account}/usage", own, element),
        (f"{above}/usage", await bearer(cast, data, "distributor"), [element]),
        (f"{above}/storage-accounts/{account}/usage", await bearer(cast, data, "distributor"), element),
    ):
        answer = await client.get(path, params=DAYS, headers=headers)
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "application/json"
        assert answer.json() == expected


@pytest.mark.parametrize(
    ("days", "status", "fields"),
    [
        ({}, 422, ["from", "to"]),
        ({"from": "2026-01-05"}, 422, ["to"]),
        ({"from": "2026-1-5", "to": "2026-01-06"}, 400, ["from"]),
        ({"from": "2026-01-05", "to": "2026-02-30"}, 400, ["to"]),
        ({"from": "20260105", "to": "2026-W01-1"}, 400, ["from", "to"]),
        ({"from": "2026-01-05T00:00:00Z", "to": "2026-01-06"}, 400, ["from"]),
        ({"from": "2026-01-07", "to": "2026-01-06"}, 422, ["from", "to"]),
        ({"from": "2026-01-05", "to": str((at("2026-01-05") + timedelta(days=400)).date())}, 422, ["from", "to"]),
    ],
)
async def test_bad_periods(
    cast: Cast, client: httpx.AsyncClient, data: PartnerData, days: dict[str, str], status: int, fields: list[str]
) -> None:
    account = await cast.account(data.partner)
    headers = await bearer(cast, data)
    for path in ("/storage-accounts/usage", f"/storage-account/{account}/usage", "/storage-account/x/usage"):
        answer = await client.get(path, params=days, headers=headers)
        assert answer.status_code == status, answer.text
        assert [error["field"] for error in answer.json()["errors"]] == fields


async def test_other_organisations_and_unknown_ids(cast: Cast, client: httpx.AsyncClient, data: PartnerData) -> None:
    stranger = await partner_data(cast)
    account = await cast.account(data.partner)
    gone = await cast.account(data.partner)
    await purge(cast, data.partner, gone, at("2026-01-04", "12:00:00"))
    above = f"/partner/{data.partner.organisation_id}"
    partner, distributor = await bearer(cast, stranger), await bearer(cast, stranger, "distributor")
    own = await bearer(cast, data)
    for path, headers, status in (
        (f"/storage-account/{account}/usage", partner, 404),
        (f"{above}/usage", distributor, 404),
        (f"{above}/storage-accounts/{account}/usage", distributor, 404),
        ("/storage-account/12345/usage", own, 404),
        (f"/storage-account/{gone}/usage", own, 404),
        (f"{above}/usage", own, 403),
        ("/storage-accounts/usage", distributor, 403),
        ("/partner/12345/usage", await bearer(cast, data, "distributor"), 400),
        ("/storage-accounts/usage", {}, 401),
    ):
        answer = await client.get(path, params=DAYS, headers=headers)
        assert answer.status_code == status, (path, answer.text)


async def test_pages(cast: Cast, client: httpx.AsyncClient, data: PartnerData) -> None:
    accounts = [str(await cast.account(data.partner)) for _ in range(3)]
    headers = await bearer(cast, data)
    first = await client.get("/storage-accounts/usage", params={**DAYS, "limit": "2"}, headers=headers)
    assert [element["client_id"] for element in first.json()] == accounts[:2]
    second = await client.get(str(httpx.URL("http://t").join(first.links["next"]["url"])), headers=headers)
    assert [element["client_id"] for element in second.json()] == accounts[2:]
    assert "next" not in second.links

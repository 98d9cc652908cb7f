"""Freshness and traffic through the door."""

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractContextManager, asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx
import pytest

from tests.cast import NOW, Cast
from tests.clocks import clocks
from tests.metering.sampled import Site
from tests.usage.scenes import LATER, Trade, at, purge, trade
from tonnage.access.actor import Actor, Role
from tonnage.asgi import create_app
from tonnage.db import connect
from tonnage.errors import Unavailable
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
async def world(cast: Cast) -> Trade:
    return await trade(cast)


async def bearer(cast: Cast, actor: Actor) -> dict[str, str]:
    return {"Authorization": f"Bearer {await cast.key(actor, Role.VIEWER)}"}


async def keep(cast: Cast, account: int, *rows: tuple[str, int, int, int]) -> None:
    (region,) = await cast.row("select region_id from storage_account where id = %s", account)
    read = [Traffic(account, at(day, "09:00:00"), *counts) for day, *counts in rows]
    await traffic_actions.store(cast.database, region, read, LATER)


async def test_traffic_of_an_account(cast: Cast, client: httpx.AsyncClient, world: Trade) -> None:
    account, idle = await cast.account(world.partner), await cast.account(world.partner)
    await keep(cast, account, ("2026-01-04", 1, 1, 1), ("2026-01-05", 5, 50, 500), ("2026-01-07", 7, 70, 2**63 - 1))
    above = f"/partner/{world.partner.organisation_id}"
    expected = [
        {"date": "2026-01-05", "egress": 5, "ingress": 50, "requests": 500},
        {"date": "2026-01-07", "egress": 7, "ingress": 70, "requests": 2**63 - 1},
    ]
    for path, actor, days in (
        (f"/storage-account/{account}/traffic", world.partner, expected),
        (f"{above}/storage-accounts/{account}/traffic", world.distributor, expected),
        (f"/storage-account/{idle}/traffic", world.partner, []),
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
    cast: Cast, client: httpx.AsyncClient, world: Trade, days: dict[str, str], status: int, fields: list[str]
) -> None:
    headers = await bearer(cast, world.partner)
    answer = await client.get("/storage-account/123456789012/traffic", params=days, headers=headers)
    assert answer.status_code == status, answer.text
    assert [error["field"] for error in answer.json()["errors"]] == fields


async def test_traffic_is_nobody_elses(cast: Cast, client: httpx.AsyncClient, world: Trade) -> None:
    stranger = await trade(cast)
    account, gone = await cast.account(world.partner), await cast.account(world.partner)
    await keep(cast, gone, ("2026-01-05", 1, 1, 1))
    await purge(cast, world.partner, gone, at("2026-01-06", "12:00:00"))
    above, foreign = (f"/partner/{one.partner.organisation_id}/storage-accounts" for one in (world, stranger))
    for path, actor, status in (
        (f"/storage-account/{account}/traffic", stranger.partner, 404),
        (f"{above}/{account}/traffic", stranger.distributor, 404),
        (f"{foreign}/{account}/traffic", stranger.distributor, 404),
        (f"/storage-account/{account}/traffic", world.distributor, 403),
        (f"{above}/{account}/traffic", world.partner, 403),
        ("/storage-account/12345/traffic", world.partner, 404),
        # As with usage, the past of what is gone can still be seen.
        (f"/storage-account/{gone}/traffic", world.partner, 200),
    ):
        answer = await client.get(path, params=DAYS, headers=await bearer(cast, actor))
        assert answer.status_code == status, (path, answer.text)
    later = {"from": "2026-01-07", "to": "2026-01-08"}
    headers = await bearer(cast, world.partner)
    answer = await client.get(f"/storage-account/{gone}/traffic", params=later, headers=headers)
    assert answer.status_code == 404


async def test_nothing_is_fresh_without_regions(new_database: Callable[[], AbstractContextManager[str]]) -> None:
    with new_database() as conninfo:
        async with connect(conninfo) as database, serving(conninfo) as http:
            cast = await Cast.of(database)
            answer = await http.get("/usage/freshness", headers=await bearer(cast, await cast.distributor()))
            assert (answer.status_code, answer.json()) == (200, {"regions": []})
            assert (await http.get("/usage/freshness")).status_code == 401


@pytest.mark.ceph
async def test_freshness_for_everybody(site: Site) -> None:
    cast, house = site.cast, site.house
    await cast.region("a-metered-one")
    metered: dict[str, Any] = {
        "region": "a-metered-one", "backend": "metered", "sampled": 0, "missed": 0, "running": False
    }  # fmt: skip
    counts = {"sampled", "missed"}
    ceph: dict[str, Any] = {"region": "on-ceph", "backend": "ceph", "sampled": 0, "missed": 0, "running": False}

    async def fresh() -> list[dict[str, Any]]:
        answers: list[list[dict[str, Any]]] = []
        for actor in (cast.operator, site.distributor, site.partner):
            answer = await house.call("GET", "/ext/v1/usage/freshness", await house.key(actor, Role.VIEWER))
            assert answer.status_code == 200
            answers.append(answer.json()["regions"])
        # How many accounts there are is the operator's own business.
        uncounted = [{name: one[name] for name in one.keys() - counts} for one in answers[0]]
        assert answers[1:] == [uncounted] * 2
        return answers[0]

    assert await fresh() == [metered, ceph]
    first, _ = await site.accounts(2)
    await site.sample()
    ceph |= {"asOf": "2026-03-15T12:00:00Z", "sampled": 2}
    assert await fresh() == [metered, ceph]

    answering: list[int] = []

    async def fail(account: int) -> None:
        if account not in answering:
            raise Unavailable("The storage cluster cannot do it now; try again later.")

    # Nobody answers: the run waits for its cluster, and the one before it is the last that has finished.
    site.probe.before = fail
    house.clock.now = NOW + timedelta(hours=1, minutes=10)
    with pytest.raises(Unavailable):
        await site.sample()
    assert await fresh() == [metered, ceph | {"sampled": 0, "running": True}]
    answering.append(first)
    with pytest.raises(Unavailable):
        await site.sample()
    assert await fresh() == [metered, ceph | {"asOf": "2026-03-15T13:00:00Z", "sampled": 1, "missed": 1}]

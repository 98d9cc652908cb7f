"""Months end at midnight UTC, also where the clocks of readers and workers say otherwise."""

import asyncio
import os
import re
from typing import Any

import pytest

from tests.api.conftest import AppClient
from tests.cast import TB
from tests.statements.months import APRIL, MARCH, Sellers, sellers_with_prices
from tests.statements.test_killed_freezes import run
from tests.statements.test_statements_api import call, frozen
from tests.usage.steps import at, record

pytestmark = [pytest.mark.anyio, pytest.mark.oldest_postgresql]


@pytest.fixture
async def data(client: AppClient) -> Sellers:
    client.clock.now = APRIL
    return await sellers_with_prices(client.cast)


async def test_the_last_half_hour_of_a_month(client: AppClient, data: Sellers) -> None:
    """2026-03-31T23:30Z is April in Berlin, and the afternoon before in Los Angeles."""
    await record(data.cast, (data.account, at("2026-03-31", "23:30:00"), 40 * TB), now=APRIL)
    listed = await frozen(client, data)
    shown: list[Any] = []
    for zone in ("Europe/Berlin", "America/Los_Angeles"):
        browser = await client.sign_in(data.partner, name=zone)
        assert (await browser.send("/profile", {"name": zone, "locale": "en_GB", "time_zone": zone})).status_code == 303
        page = (await browser.get(f"/statements/{listed['id']}")).text
        body = re.search("<tbody>(.*?)</tbody>", page, re.DOTALL)
        working = (await browser.get(f"/statements/{listed['id']}/lines/2/working.csv")).text
        assert body is not None
        shown.append((body[1], working))
    assert shown[0] == shown[1]
    days = (await call(client, data.partner, "GET", f"statements/{listed['id']}/lines/2/working")).json()["days"]
    used = {one["day"]: one["used"] for one in days}
    assert set(used) == {f"2026-03-{day:02}" for day in range(1, 32)}
    assert used["2026-03-31"] > used["2026-03-30"] == 11 * TB


async def test_workers_in_other_time_zones(data: Sellers) -> None:
    """Half an hour after the month it is the 1st in Tokyo, and still the 31st in Juneau."""
    zones = ("Asia/Tokyo", "America/Juneau")
    environments = [{**os.environ, "TZ": zone, "PGTZ": zone} for zone in zones]
    now = at("2026-04-01", "00:30:00").isoformat()
    ended = await asyncio.gather(*(run(data, "never", one, now=now) for one in environments))
    assert ended == [0, 0]
    rows = await data.rows("number, month, frozen_at", data.distributor)
    assert rows == [("INV-2026-00001", MARCH, at("2026-04-01", "00:30:00"))]

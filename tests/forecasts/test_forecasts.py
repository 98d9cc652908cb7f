"""Forecasts on the database: which use counts, what is stored, and who sees it."""

import json
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from tests.api.conftest import AppClient
from tests.cast import NOW, TB, Cast
from tests.usage.steps import at
from tonnage.access.actor import Actor
from tonnage.accounts import change_actions
from tonnage.accounts.account import AccountChange
from tonnage.accounts.actions import delete_account
from tonnage.alerts.alert_level import AlertSubject
from tonnage.clock import WallClock
from tonnage.db import connect
from tonnage.forecasts import actions
from tonnage.forecasts.forecast import Forecast, NoForecast
from tonnage.forecasts.lists import full_soonest
from tonnage.forecasts.queries import ForecastRun, forecast_of, last_run
from tonnage.partners import actions as partners
from tonnage.partners.partner import PartnerChange
from tonnage.usage.actions import record_samples
from tonnage.usage.sample import Sample

GB = 10**9
TODAY = NOW.date()


@dataclass
class GrowingData:
    """An account of 1 TB of a partner with 2, under a contract of 3; by the day."""

    cast: Cast
    distributor: Actor
    contract: UUID
    partner: Actor
    account: int

    async def grow(self, account: int, days: int, *, now: int, daily: int) -> None:
        """Use of `now` gigabytes yesterday, and of so much less on each day before."""
        samples = [
            Sample(number, account, at(str(TODAY - timedelta(days=days - number))), (now - daily * back) * GB)
            for number in range(days)
            for back in (days - 1 - number,)
        ]
        await self.cast.database.transaction(record_samples, iter(samples), NOW)

    async def compute(self) -> ForecastRun:
        return await actions.compute(self.cast.database, NOW, WallClock(lambda: NOW))

    async def forecast(self, subject: AlertSubject, one: int | UUID, scope: UUID | None = None) -> Forecast | None:
        return await self.cast.database.run(forecast_of, scope, subject, one)

    async def days_until(self, subject: AlertSubject, one: int | UUID) -> int | NoForecast | None:
        """Until the likely day, from the last one that counts."""
        found = await self.forecast(subject, one)
        assert found is not None
        return (found.full_by.likely - TODAY).days + 1 if found.full_by else found.reason


async def made(cast: Cast) -> GrowingData:
    cast.now = at("2025-11-01")
    await cast.region()
    distributor = await cast.distributor()
    contract = await cast.contract(distributor, 3 * TB)
    partner = await cast.partner(distributor, contract, 2 * TB, overdraft=True)
    account = await cast.account(partner, TB)
    cast.now = NOW
    return GrowingData(cast, distributor, contract, partner, account)


@pytest.fixture
async def data(new_database: Callable[[], AbstractContextManager[str]]) -> AsyncGenerator[GrowingData]:
    with new_database() as conninfo:
        async with connect(conninfo) as database:
            yield await made(await Cast.of(database))


@pytest.mark.anyio
async def test_accounts_partners_and_contracts_by_their_own_use(data: GrowingData) -> None:
    cast, partner = data.cast, data.partner.organisation_id
    cast.now = at("2025-11-01")
    elastic = await cast.account(data.partner)
    cast.now = NOW
    await data.grow(data.account, 130, now=700, daily=5)
    await data.grow(elastic, 130, now=300, daily=2)
    run = await data.compute()
    assert (run.subjects, run.forecasts) == (3, 3)
    assert await data.days_until(AlertSubject.ACCOUNT, data.account) == 60
    assert await data.days_until(AlertSubject.ACCOUNT, elastic) is NoForecast.PAY_PER_USE
    assert await data.days_until(AlertSubject.PARTNER, partner) == 143
    assert await data.days_until(AlertSubject.CONTRACT, data.contract) == 286
    assert await cast.database.run(last_run) == run


@pytest.mark.anyio
async def test_a_value_that_is_carried_forward_is_no_growth(data: GrowingData) -> None:
    """Samples ended some days ago: the last known use stands for the days since."""
    await data.grow(data.account, 130, now=700, daily=5)
    later = NOW + timedelta(days=40)
    await actions.compute(data.cast.database, later, WallClock(lambda: later))
    assert await data.days_until(AlertSubject.ACCOUNT, data.account) is NoForecast.GROWTH_CHANGES
    assert await data.days_until(AlertSubject.PARTNER, data.partner.organisation_id) is NoForecast.GROWTH_CHANGES


@pytest.mark.anyio
async def test_the_running_day_does_not_count(data: GrowingData) -> None:
    await data.grow(data.account, 130, now=700, daily=5)
    await data.cast.database.transaction(record_samples, iter([Sample(1, data.account, NOW, 2 * TB)]), NOW)
    await data.compute()
    assert await data.days_until(AlertSubject.ACCOUNT, data.account) == 60


@pytest.mark.anyio
async def test_runs_again_and_at_once_store_the_same(data: GrowingData) -> None:
    await data.grow(data.account, 130, now=700, daily=5)
    stored = "select json_agg(f order by account_id, partner_id) from forecast f"
    await data.compute()
    before = await data.cast.row(stored)
    await data.compute()
    assert await data.cast.row(stored) == before


@pytest.mark.anyio
async def test_a_capacity_that_was_changed_has_no_forecast_until_the_next_run(data: GrowingData) -> None:
    await data.grow(data.account, 130, now=700, daily=5)
    await data.compute()
    whose, change = data.partner.organisation_id, AccountChange(allocated_capacity=TB + TB // 2)
    await data.cast.database.transaction(change_actions.change_account, data.partner, whose, data.account, change, NOW)
    assert await data.days_until(AlertSubject.ACCOUNT, data.account) is NoForecast.NOT_COMPUTED
    assert await data.cast.database.run(full_soonest, whose, 10) == []
    await data.compute()
    assert await data.days_until(AlertSubject.ACCOUNT, data.account) == 160


@pytest.mark.anyio
async def test_forecasts_of_what_is_gone_are_deleted(data: GrowingData) -> None:
    await data.grow(data.account, 130, now=700, daily=5)
    await data.compute()
    whose = data.partner.organisation_id
    await data.cast.database.transaction(delete_account, data.partner, whose, data.account, 30, NOW)
    await data.cast.purge(at("2026-06-01"))
    change = PartnerChange(allocated_capacity=0)
    await data.cast.database.run(partners.update_partner, data.distributor, whose, change, NOW)
    await data.compute()
    (accounts, of_partners) = await data.cast.row("select count(account_id), count(partner_id) from forecast")
    assert (accounts, of_partners) == (0, 0)
    assert await data.forecast(AlertSubject.ACCOUNT, data.account) is None


@pytest.mark.anyio
async def test_the_soonest_come_first_and_only_ones_own(data: GrowingData) -> None:
    cast = data.cast
    cast.now = at("2025-11-01")
    sooner = await cast.account(data.partner, TB)
    cast.now = NOW
    await data.grow(data.account, 130, now=700, daily=5)
    await data.grow(sooner, 130, now=800, daily=5)
    await data.compute()
    found = await cast.database.run(full_soonest, data.partner.organisation_id, 10)
    assert [row.id for row in found] == [str(sooner), str(data.account)]
    assert len(await cast.database.run(full_soonest, data.partner.organisation_id, 1)) == 1
    assert [row.subject for row in await cast.database.run(full_soonest, data.distributor.organisation_id, 10)] == [
        AlertSubject.PARTNER
    ]
    stranger = await cast.distributor()
    assert await cast.database.run(full_soonest, stranger.organisation_id, 10) == []
    for subject, one in ((AlertSubject.ACCOUNT, sooner), (AlertSubject.PARTNER, data.partner.organisation_id)):
        assert await data.forecast(subject, one, stranger.organisation_id) is None
        assert await data.forecast(subject, one, data.distributor.organisation_id) is not None
    assert await data.forecast(AlertSubject.CONTRACT, data.contract, data.partner.organisation_id) is None


async def stored(client: AppClient, data: GrowingData, likely: date | None, reason: str | None = None) -> None:
    """Forecasts of all three, as a run would have stored them."""
    rows: tuple[tuple[str, Any, int], ...] = (
        ("account_id", data.account, TB),
        ("partner_id", data.partner.organisation_id, 2 * TB),
        ("contract_id", data.contract, 3 * TB),
    )
    for column, one, capacity in rows:
        latest = likely and likely + timedelta(days=24)
        await client.cast.row(
            f"""
            insert into forecast ({column}, organisation_id, seller_id, capacity, computed_on, reason, earliest, likely,
                latest) values (%s, %s, %s, %s, %s, %s, %s, %s, %s) returning capacity""",
            *(one, data.partner.organisation_id, data.partner.organisation_id, capacity, TODAY, reason),
            *(likely and likely - timedelta(days=21), likely, latest),
        )


def pages_of(data: GrowingData) -> list[tuple[str, str]]:
    partner = data.partner.organisation_id
    return [
        ("partner", f"/partner/accounts/{data.account}"),
        ("partner", "/partner/usage"),
        ("distributor", f"/distributor/partners/{partner}"),
        ("distributor", f"/distributor/partners/{partner}/accounts/{data.account}"),
        ("distributor", f"/distributor/contracts/{data.contract}"),
        ("operator", f"/operator/partners/{partner}"),
        ("operator", f"/operator/accounts/{data.account}"),
        ("operator", f"/operator/contracts/{data.contract}"),
    ]


@pytest.mark.anyio
async def test_every_page_that_shows_the_use_says_the_range(client: AppClient) -> None:
    data = await made(client.cast)
    actors = {"partner": data.partner, "distributor": data.distributor, "operator": client.cast.operator}
    browsers = {who: await client.sign_in(actor) for who, actor in actors.items()}
    for who, path in pages_of(data):
        assert "No forecast yet: it is computed at night" in (await browsers[who].get(path)).text, path
    await stored(client, data, date(2026, 5, 24))
    for who, path in pages_of(data):
        text = (await browsers[who].get(path)).text
        assert "Likely full on" in text, path
        for day in ("2026-05-03", "2026-05-24", "2026-06-17"):
            assert f'datetime="{day}"' in text, path


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("short_history", "No forecast yet: 45 days of history are needed"),
        ("growth_changes", "Growth is changing: no forecast"),
        ("not_within_year", "Not within a year"),
        ("full", "It is full already"),
    ],
)
async def test_pages_say_why_there_is_none(client: AppClient, reason: str, said: str) -> None:
    data = await made(client.cast)
    await stored(client, data, None, reason)
    browser = await client.sign_in(data.partner)
    assert said in (await browser.get(f"/partner/accounts/{data.account}")).text


@pytest.mark.anyio
async def test_lists_are_sorted_by_it_and_files_have_it(client: AppClient) -> None:
    data = await made(client.cast)
    later = await client.cast.account(data.partner, TB, name="No forecast")
    await stored(client, data, date(2026, 5, 24))
    for actor, lists, names in (
        (data.partner, "/partner/accounts", 2),
        (data.distributor, "/distributor/partners", 1),
        (data.distributor, "/distributor/contracts", 1),
    ):
        browser = await client.sign_in(actor)
        page = (await browser.get(f"{lists}?sort=full")).text
        assert "Full by" in page
        assert 'datetime="2026-05-24"' in page
        assert "2026-05-24" in (await browser.get(f"{lists}.csv")).text
        if names > 1:
            first, last = f'/partner/accounts/{data.account}"', f'/partner/accounts/{later}"'
            assert page.index(first) < page.index(last)
            reverse = (await browser.get(f"{lists}?sort=full.desc")).text
            assert reverse.index(first) > reverse.index(last)


@pytest.mark.anyio
async def test_the_api_gives_it_to_those_whose_it_is(client: AppClient) -> None:
    data = await made(client.cast)
    await stored(client, data, date(2026, 5, 24))
    keys = {
        who: await client.key(actor)
        for who, actor in (
            ("partner", data.partner),
            ("distributor", data.distributor),
            ("operator", client.cast.operator),
            ("stranger", await client.cast.distributor()),
        )
    }
    paths = {
        f"/ext/v1/storage-account/{data.account}/forecast": ("partner", "distributor", "operator"),
        f"/ext/v1/partner/{data.partner.organisation_id}/forecast": ("partner", "distributor", "operator"),
        f"/ext/v1/contract/{data.contract}/forecast": ("distributor",),
    }
    for path, allowed in paths.items():
        for who, key in keys.items():
            # Contracts are read by distributors alone.
            is_refused = "contract" in path and who in {"partner", "operator"}
            answer = await client.call("GET", path, key)
            assert answer.status_code == (200 if who in allowed else 403 if is_refused else 404), (path, who)
            if who in allowed:
                assert json.loads(answer.text) == {
                    "earliest": "2026-05-03",
                    "likely": "2026-05-24",
                    "latest": "2026-06-17",
                    "computedOn": "2026-03-15",
                }

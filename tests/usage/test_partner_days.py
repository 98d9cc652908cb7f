"""Charts and trends: the days of partners and accounts equal the sums of their reports."""

from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID, uuid4

import pytest

from tests.cast import TB, Cast
from tests.usage.steps import OPENED, TODAY, PartnerData, at, partner_data, points, purge, record, report
from tonnage.access.actor import Actor
from tonnage.accounts import change_actions
from tonnage.accounts.account import AccountChange
from tonnage.partners import actions as partners
from tonnage.partners.partner import PartnerChange
from tonnage.usage.lists import (
    AccountDay,
    PartnerDay,
    account_trends,
    daily_of_account,
    daily_of_partner,
    mean,
    trends,
)
from tonnage.usage.period import Period

pytestmark = [pytest.mark.anyio, pytest.mark.oldest_postgresql]


def period(first: str, last: str) -> Period:
    return Period(date.fromisoformat(first), date.fromisoformat(last))


async def resize(cast: Cast, data: PartnerData, allocated: int, when: str) -> None:
    change = PartnerChange(allocated_capacity=allocated)
    await cast.database.run(
        partners.update_partner, data.distributor, data.partner.organisation_id, change, at(when, "18:00:00")
    )


async def daily(
    cast: Cast, partner: Actor, first: str, last: str, scope: UUID | None = None, today: date = TODAY
) -> list[PartnerDay]:
    asking = scope or partner.organisation_id
    return await cast.database.run(daily_of_partner, asking, partner.organisation_id, period(first, last), today)


async def test_a_partners_days_are_the_sums_of_its_report(cast: Cast) -> None:
    data = await partner_data(cast)
    accounts = [await cast.account(data.partner) for _ in range(4)]
    await record(
        cast,
        (accounts[0], at("2026-01-07"), 10),
        (accounts[0], at("2026-03-14"), 20),
        (accounts[1], at("2026-01-09"), 300),
        (accounts[2], at("2026-01-20"), 4000),
        (accounts[2], at("2026-02-02"), 5000),
    )
    await purge(cast, data.partner, accounts[2], at("2026-02-10", "12:00:00"))
    found = {day.day: int(day.usage) for day in await daily(cast, data.partner, "2025-12-01", "2026-06-30")}
    elements = await report(cast, data.partner, "2025-12-01", "2026-06-30")
    assert elements is not None
    sums: dict[date, int] = {}
    for element in elements:
        for day, usage, _ in points(element):
            sums[date.fromisoformat(day)] = sums.get(date.fromisoformat(day), 0) + usage
    assert found == sums
    assert min(found) == OPENED.date()
    assert max(found) == TODAY
    assert (found[date(2026, 2, 10)], found[date(2026, 2, 11)]) == (2810, 310)
    assert found[TODAY] == 320


async def test_the_terms_at_the_end_of_a_day_are_those_of_the_day(cast: Cast) -> None:
    data = await partner_data(cast)
    account = await cast.account(data.partner)
    await record(cast, (account, at("2026-01-06"), 5 * TB))
    await resize(cast, data, 2 * TB, "2026-01-08")
    await resize(cast, data, 9 * TB, "2026-01-10")
    await resize(cast, data, 4 * TB, "2026-01-10")
    found = await daily(cast, data.partner, "2026-01-05", "2026-01-10")
    assert [(day.day.day, int(day.usage), day.allocated, int(day.excess)) for day in found] == [
        (5, 0, 0, 0),
        (6, 5 * TB, 0, 5 * TB),
        (7, 5 * TB, 0, 5 * TB),
        (8, 5 * TB, 2 * TB, 3 * TB),
        (9, 5 * TB, 2 * TB, 3 * TB),
        (10, 5 * TB, 4 * TB, TB),
    ]
    await resize(cast, data, 6 * TB, "2026-01-11")
    assert [int(day.excess) for day in await daily(cast, data.partner, "2026-01-10", "2026-01-11")] == [TB, 0]


async def test_another_organisation_sees_no_days(cast: Cast) -> None:
    data = await partner_data(cast)
    sibling = await cast.partner(data.distributor, data.contract)
    stranger = await cast.distributor()
    account = await cast.account(data.partner)
    await record(cast, (account, at("2026-01-06"), 5))
    ids, days = [data.partner.organisation_id], period("2026-01-06", "2026-01-08")
    for scope, seen in (
        (None, True),
        (data.partner.organisation_id, True),
        (data.distributor.organisation_id, True),
        (sibling.organisation_id, False),
        (stranger.organisation_id, False),
        (uuid4(), False),
    ):
        found = await cast.database.run(daily_of_partner, scope, ids[0], days, TODAY)
        assert bool(found) is seen
        lines = await cast.database.run(trends, scope, ids, TODAY)
        assert bool(lines) is seen
        of_account = await cast.database.run(daily_of_account, scope, account, days, TODAY)
        assert bool(of_account) is seen
        lines = await cast.database.run(account_trends, scope, [account], TODAY)
        assert bool(lines) is seen


async def test_days_before_the_partner_and_after_today_are_absent(cast: Cast) -> None:
    data = await partner_data(cast)
    assert await daily(cast, data.partner, "2025-01-01", "2026-01-04") == []
    assert await daily(cast, data.partner, "2026-03-16", "2026-03-20") == []
    found = await daily(cast, data.partner, "2026-03-14", "2026-03-20")
    assert [day.day for day in found] == [date(2026, 3, 14), TODAY]


async def test_the_mean_of_a_range(cast: Cast) -> None:
    data = await partner_data(cast)
    account = await cast.account(data.partner)
    await record(cast, (account, at("2026-01-06"), 10), (account, at("2026-01-07"), 15))

    async def average(first: str, last: str) -> Decimal | None:
        return mean([day.usage for day in await daily(cast, data.partner, first, last)])

    assert await average("2026-01-06", "2026-01-07") == 13
    assert await average("2026-01-04", "2026-01-06") == 5
    assert await average("2025-01-04", "2025-01-06") is None


def test_a_half_is_rounded_up() -> None:
    assert mean([Decimal(0), Decimal(1)]) == 1
    assert mean([Decimal(0), Decimal(0), Decimal(1)]) == 0
    assert mean([Decimal(10**30), Decimal(10**30 + 1)]) == 10**30 + 1
    assert mean([]) is None


async def test_trends_are_the_last_thirty_days(cast: Cast) -> None:
    data = await partner_data(cast)
    still = await cast.partner(data.distributor, data.contract)
    account, idle = await cast.account(data.partner), await cast.account(data.partner)
    await record(cast, (account, at("2026-02-20"), 100), (account, at("2026-03-10"), 200), (idle, at("2026-01-10"), 7))
    scope = data.distributor.organisation_id
    ids = [data.partner.organisation_id, still.organisation_id]
    found = await cast.database.run(trends, scope, ids, TODAY)
    first = TODAY - timedelta(days=29)
    expected = [
        7.0 + (0 if first + timedelta(days=n) < date(2026, 2, 20) else 200 if n >= 24 else 100) for n in range(30)
    ]
    assert found == {ids[0]: expected, ids[1]: [0.0] * 30}
    of_accounts = await cast.database.run(account_trends, scope, [account, idle], TODAY)
    assert of_accounts == {account: [value - 7 for value in expected], idle: [7.0] * 30}


async def test_the_days_of_an_account(cast: Cast) -> None:
    data = await partner_data(cast)
    account = await cast.account(data.partner)
    await record(cast, (account, at("2026-01-06"), 100), (account, at("2026-01-08"), 200))
    change = AccountChange(allocated_capacity=3 * TB)
    await cast.database.transaction(
        change_actions.change_account,
        data.partner,
        data.partner.organisation_id,
        account,
        change,
        at("2026-01-07", "23:59:59"),
    )
    await cast.row(
        "insert into daily_traffic (account_id, day, sent, received, requests) values (%s, '2026-01-08', 1, 2, 3)"
        " returning 1",
        account,
    )
    found = await cast.database.run(
        daily_of_account, data.distributor.organisation_id, account, period("2026-01-01", "2026-01-09"), TODAY
    )
    assert found == [
        AccountDay(date(2026, 1, 5), 0, 0, None, None, None),
        AccountDay(date(2026, 1, 6), 100, 0, None, None, None),
        AccountDay(date(2026, 1, 7), 100, 3 * TB, None, None, None),
        AccountDay(date(2026, 1, 8), 200, 3 * TB, 1, 2, 3),
        AccountDay(date(2026, 1, 9), 200, 3 * TB, None, None, None),
    ]

"""Random histories against the model: samples late, repeated and corrected, in any order and cut into any parts."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.cast import Cast
from tests.usage.model import AccountModel
from tests.usage.steps import LATER, OPENED, assert_totals, at, partner_data, points, purge, record, report, rows_of
from tonnage.access.actor import Actor
from tonnage.db import connect

pytestmark = pytest.mark.oldest_postgresql

FIRST = at("2026-01-05")
PURGED = at("2026-01-17", "08:30:00.5")
LAST = PURGED.date()


def moment(day: int, microseconds: int) -> datetime:
    return FIRST + timedelta(days=day, microseconds=microseconds)


# Few distinct hours, so that samples collide; and any microsecond of a day.
HOURS = st.sampled_from([0, 1, 10, 23]).map(lambda hour: hour * 3_600_000_000)
MOMENTS = st.builds(moment, st.integers(0, 14), HOURS | st.integers(0, 86_400_000_000 - 1))
SIZES = st.one_of(st.sampled_from([0, 1, 2, 2**40, 2**63 - 1]), st.integers(0, 2**63 - 1))
READINGS = st.lists(st.tuples(st.integers(0, 2), MOMENTS, SIZES), max_size=25)


class Part(list[tuple[int, datetime, int]]):
    """Samples that are recorded together; of one account and time only one value."""


def parts_of(readings: list[tuple[int, datetime, int]], sizes: list[int]) -> list[Part]:
    parts: list[Part] = []
    rest = list(readings)
    while rest:
        size = sizes[len(parts) % len(sizes)]
        some, rest = rest[:size], rest[size:]
        latest = {(account, moment): value for account, moment, value in some}
        parts.append(Part((account, moment, value) for (account, moment), value in latest.items()))
    return parts


def histories(conninfo: str, work: Callable[[Cast], Awaitable[None]]) -> None:
    async def run() -> None:
        async with connect(conninfo, size=2, streams=1) as database:
            await work(await Cast.of(database))

    asyncio.run(run())


def test_random_histories(conninfo: str) -> None:
    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(READINGS, st.lists(st.integers(1, 9), min_size=1, max_size=5), st.booleans())
    def check(readings: list[tuple[int, datetime, int]], sizes: list[int], goes: bool) -> None:
        histories(conninfo, lambda cast: agree(cast, parts_of(readings, sizes), goes))

    check()


def test_any_order_and_any_parts_give_the_same_days(conninfo: str) -> None:
    """Values that do not differ for one account and time, so that the order has no meaning."""

    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(
        st.dictionaries(st.tuples(st.integers(0, 2), MOMENTS), SIZES, max_size=20),
        st.lists(st.integers(1, 9), min_size=1, max_size=5),
        st.data(),
    )
    def check(values: dict[tuple[int, datetime], int], sizes: list[int], data: st.DataObject) -> None:
        readings = [(account, moment, size) for (account, moment), size in values.items()]
        repeated = readings + (data.draw(st.lists(st.sampled_from(readings), max_size=5)) if readings else [])
        shuffled = data.draw(st.permutations(repeated))
        histories(conninfo, lambda cast: agree(cast, parts_of(list(shuffled), sizes), goes=False))

    check()


async def agree(cast: Cast, parts: list[Part], goes: bool) -> None:
    data = await partner_data(cast)
    owners = [data.partner, data.partner, await cast.partner(data.distributor, data.contract)]
    accounts = [await cast.account(owner) for owner in owners]
    models = {account: AccountModel(OPENED) for account in accounts}
    for number, some in enumerate(parts):
        if goes and number == len(parts) // 2:
            await purge(cast, owners[0], accounts[0], PURGED)
            models[accounts[0]].purge(PURGED)
        part = [(index, moment, size) for index, moment, size in some if index or not goes or moment.date() <= LAST]
        await record(cast, *[(accounts[index], moment, size) for index, moment, size in part])
        for account, model in models.items():
            model.record([(moment, size) for index, moment, size in part if accounts[index] == account])
    for account, model in models.items():
        assert await rows_of(cast, account) == model.rows()
        found = await cast.row("select used, rolled_up_to from account_usage where account_id = %s", account)
        assert found == (model.used, model.rolled_up_to)
    await assert_totals(cast, data.contract)
    await reports_agree(cast, models, data.partner)


async def reports_agree(cast: Cast, models: dict[int, AccountModel], partner: Actor) -> None:
    found = await report(cast, partner, "2025-12-01", "2026-06-30")
    assert found is not None
    assert len(found) == 2
    for element in found:
        model = models[int(element["client_id"])]
        last = min(LATER, model.purged or LATER).date()
        days = [OPENED.date() + timedelta(days=n) for n in range((last - OPENED.date()).days + 1)]
        assert points(element) == [(str(day), model.usage(day), 0) for day in days]


@pytest.mark.anyio
async def test_the_day_of_an_outage(cast: Cast) -> None:
    """Half of the day 1 TB, ten hours 20.56 GB, two hours 3 TB: however many samples say so."""
    data = await partner_data(cast)
    account = await cast.account(data.partner)
    tb = 10**12
    await record(
        cast,
        (account, at("2026-01-06"), tb),
        (account, at("2026-01-06", "01:00:00"), tb),
        (account, at("2026-01-06", "12:00:00"), 20_560_000_000),
        (account, at("2026-01-06", "22:00:00"), 3 * tb),
        (account, at("2026-01-06", "23:00:00"), 3 * tb),
        (account, at("2026-01-08"), tb),
        (account, at("2026-01-08", "23:00:00"), 100 * tb),
    )
    usage = [row[1] for row in await rows_of(cast, account)]
    assert usage == [0, 758_566_666_667, 3 * tb, 5_125_000_000_000]
    # The same once more, a second later each.
    await record(cast, *[(account, at("2026-01-06", f"{hour:02}:00:01"), tb) for hour in range(2)])
    assert (await rows_of(cast, account))[1][1] == 758_566_666_667


async def _days(cast: Cast, account: int) -> dict[str, Any]:
    return {str(day): usage for day, usage, _, _ in await rows_of(cast, account)}


@pytest.mark.anyio
async def test_the_running_day_is_what_it_will_be_if_nothing_changes(cast: Cast) -> None:
    data = await partner_data(cast)
    account = await cast.account(data.partner)
    day = "2026-03-15"
    await record(cast, (account, at("2026-03-14"), 24), now=at(day, "06:00:00"))
    before = await report(cast, data.partner, day, day, at(day).date())
    assert before is not None
    await record(cast, (account, at(day, "06:00:00"), 48), now=at(day, "06:00:01"))
    for _ in range(2):
        found = await report(cast, data.partner, day, day, at(day).date())
        assert found is not None
        assert json.dumps(found) != json.dumps(before)
        assert points(found[0]) == [(day, 24 * 6 // 24 + 48 * 18 // 24, 0)]
    assert (await _days(cast, account))[day] == 42

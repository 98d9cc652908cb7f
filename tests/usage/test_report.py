"""Reports: their days, accounts and allocations, and hostile names."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from tests.cast import Cast
from tests.usage.steps import LATER, OPENED, at, partner_data, points, purge, record, report
from tonnage.db import Connection
from tonnage.usage import queries
from tonnage.usage.period import Period

pytestmark = [pytest.mark.anyio, pytest.mark.oldest_postgresql]

HOSTILE = [
    '"},{"client_id":"1',
    "back\\slash\\\\ \\u0000 \\n",
    "'; drop table partner; --",
    "%s %(first)s {0} ${x}",
    "</script><b>&amp;",
    "\u202eمرحبا שלום",
    "🪣👩‍👩‍👧‍👦\U0010ffff",
    "\u2028\u2029\u00a0\ufeffx",
    "é" * 200,
    "🪣" * 200,
]


async def set_terms(cast: Cast, account: int, allocated: int, since: datetime) -> None:
    async def write(conn: Connection) -> None:
        await conn.execute(
            "insert into account_terms (account_id, valid_from, allocated_capacity, allow_overdraft)"
            " values (%s, %s, %s, false)",
            [account, since, allocated],
        )
        await conn.execute("update storage_account set allocated_capacity = %s where id = %s", [allocated, account])

    await cast.database.transaction(write)


async def test_a_partner_without_accounts_and_no_partner(cast: Cast) -> None:
    data = await partner_data(cast)
    assert await report(cast, data.partner, "2026-01-01", "2026-01-31") == []
    assert await report(cast, data.distributor, "2026-01-01", "2026-01-31") is None


async def test_days_begin_with_the_account_and_end_today(cast: Cast) -> None:
    data = await partner_data(cast)
    account = await cast.account(data.partner, name="Acme")
    await record(cast, (account, at("2026-01-07"), 8), (account, at("2026-01-07", "12:00:00"), 8))
    found = await report(cast, data.partner, "2025-12-01", "2026-12-31", date(2026, 1, 9))
    assert found is not None
    [element] = found
    assert list(element) == ["client_id", "name", "allocated_capacity", "daily_usage"]
    assert (element["client_id"], element["name"], element["allocated_capacity"]) == (str(account), "Acme", 0)
    assert points(element) == [
        ("2026-01-05", 0, 0),
        ("2026-01-06", 0, 0),
        ("2026-01-07", 8, 0),
        ("2026-01-08", 8, 0),
        ("2026-01-09", 8, 0),
    ]


@pytest.mark.parametrize(
    ("first", "last", "usages"),
    [
        ("2025-12-01", "2026-01-04", []),
        ("2026-01-05", "2026-01-05", [0]),
        ("2026-01-06", "2026-01-08", [6, 6, 6]),
        ("2026-01-08", "2026-01-08", [6]),
        ("2026-01-09", "2027-02-12", [6]),
        ("2026-01-10", "2026-02-10", []),
        ("9999-12-30", "9999-12-31", []),
        ("0001-01-01", "0001-01-02", []),
    ],
)
async def test_any_period(cast: Cast, first: str, last: str, usages: list[int]) -> None:
    data = await partner_data(cast)
    account = await cast.account(data.partner)
    await record(cast, (account, at("2026-01-06"), 6))
    found = await report(cast, data.partner, first, last, date(2026, 1, 9))
    assert [[usage for _, usage, _ in points(element)] for element in found or ()] == [usages]


async def test_an_account_without_samples_is_zero(cast: Cast) -> None:
    data = await partner_data(cast)
    await cast.account(data.partner)
    found = await report(cast, data.partner, "2026-01-01", "2026-01-31", date(2026, 1, 6))
    assert [points(element) for element in found or ()] == [[("2026-01-05", 0, 0), ("2026-01-06", 0, 0)]]


async def test_a_day_has_the_terms_of_its_end(cast: Cast) -> None:
    data = await partner_data(cast)
    account = await cast.account(data.partner, 5)
    await record(cast, (account, at("2026-01-08"), 8))
    await set_terms(cast, account, 6, at("2026-01-06", "01:00:00"))
    await set_terms(cast, account, 7, at("2026-01-06", "23:59:59"))
    await set_terms(cast, account, 8, at("2026-01-06", "23:59:59"))  # the same instant: the later row
    await set_terms(cast, account, 9, at("2026-01-08"))  # midnight belongs to the day that begins
    await set_terms(cast, account, 10, at("2026-01-10", "12:00:00"))
    found = await report(cast, data.partner, "2026-01-01", "2026-01-31", date(2026, 1, 11))
    assert found is not None
    assert found[0]["allocated_capacity"] == 10
    assert [(day[-2:], usage, allocated) for day, usage, allocated in points(found[0])] == [
        ("05", 0, 5),
        ("06", 0, 8),
        ("07", 0, 8),
        ("08", 8, 9),
        ("09", 8, 9),
        ("10", 8, 10),
        ("11", 8, 10),
    ]


async def test_a_purged_account_is_visible_on_its_days(cast: Cast) -> None:
    data = await partner_data(cast)
    account, other = await cast.account(data.partner, 5), await cast.account(data.partner)
    await record(cast, (account, at("2026-01-06"), 6))
    await purge(cast, data.partner, account, at("2026-01-08", "10:00:00"))
    found = await report(cast, data.partner, "2026-01-01", "2026-03-01")
    assert found is not None
    assert [element["client_id"] for element in found] == [str(account), str(other)]
    assert found[0]["allocated_capacity"] == 0
    assert points(found[0]) == [
        ("2026-01-05", 0, 5),
        ("2026-01-06", 6, 5),
        ("2026-01-07", 6, 5),
        ("2026-01-08", 3, 5),  # until 10:00
    ]
    scope = data.partner.organisation_id
    for first, last in (("2026-01-09", "2026-03-01"), ("2025-12-01", "2026-01-04")):
        left = await report(cast, data.partner, first, last)
        assert [element["client_id"] for element in left or ()] == [str(other)]
        period = Period(date.fromisoformat(first), date.fromisoformat(last))
        alone = await cast.database.run(queries.usage_of_account, scope, scope, account, period, LATER.date())
        assert alone is None


async def test_only_the_partner_and_its_distributor_see_it(cast: Cast) -> None:
    data, strangers = await partner_data(cast), await partner_data(cast)
    account = await cast.account(data.partner)
    period = Period(date(2026, 1, 1), date(2026, 1, 31))

    async def seen(scope: Any, partner: Any) -> tuple[bool, bool]:
        text, params = queries.usage_of_partner(scope, partner, period, LATER.date())()

        async def read(conn: Connection) -> tuple[bool, bool]:
            rows = await (await conn.execute(text, params)).fetchall()
            one = await queries.usage_of_account(conn, scope, partner, account, period, LATER.date())
            return bool(rows), one is not None

        return await cast.database.run(read)

    partner = data.partner.organisation_id
    assert await seen(partner, partner) == (True, True)
    assert await seen(data.distributor.organisation_id, partner) == (True, True)
    for stranger in (strangers.distributor, strangers.partner, cast.operator):
        assert await seen(stranger.organisation_id, partner) == (False, False)
    assert await seen(strangers.partner.organisation_id, strangers.partner.organisation_id) == (True, False)


async def test_names_survive(cast: Cast) -> None:
    data = await partner_data(cast)
    accounts = [await cast.account(data.partner, name=name) for name in HOSTILE]
    await record(cast, *[(account, at("2026-01-06"), 1) for account in accounts])
    found = await report(cast, data.partner, "2026-01-01", "2026-01-31", date(2026, 1, 7))
    assert found is not None
    assert [element["name"] for element in found] == HOSTILE
    assert {len(points(element)) for element in found} == {3}


async def test_pages_join_up_to_the_list(cast: Cast) -> None:
    data = await partner_data(cast)
    accounts = [str(await cast.account(data.partner)) for _ in range(5)]
    scope, period = data.partner.organisation_id, Period(date(2026, 1, 1), date(2026, 1, 31))
    seen: list[int] = []
    after = None
    for expected in (2, 2, 1):
        text, params = queries.usage_of_partner(scope, scope, period, LATER.date())(after, 2)

        async def read(conn: Connection, text: Any = text, params: Any = params) -> list[Any]:
            return await (await conn.execute(text, params)).fetchall()

        rows = await cast.database.run(read)
        assert len(rows) == expected
        seen += [seq for seq, _ in rows]
        after = seen[-1]
    assert seen == sorted(set(seen))
    assert len(seen) == len(accounts)
    behind = await report(cast, data.partner, "2026-01-01", "2026-01-31", after=after)
    assert behind == []


async def test_a_year_and_more_across_partitions(cast: Cast) -> None:
    data = await partner_data(cast)
    cast.now = OPENED - timedelta(days=500)
    account = await cast.account(data.partner)
    start = cast.now.replace(hour=0, minute=0)
    await record(cast, *[(account, start + timedelta(days=n), n) for n in range(500)])
    last = date(2025, 12, 31)
    first = last - timedelta(days=399)
    found = await report(cast, data.partner, str(first), str(last))
    assert found is not None
    days = points(found[0])
    assert [day for day, _, _ in days] == [str(first + timedelta(days=n)) for n in range(400)]
    assert [usage for _, usage, _ in days] == [(first - start.date()).days + n for n in range(400)]


async def test_the_first_account_does_not_wait_for_the_last(cast: Cast) -> None:
    data = await partner_data(cast)
    await record(cast, (await cast.account(data.partner), at("2026-01-06"), 6))
    scope, period = data.partner.organisation_id, Period(date(2026, 1, 1), date(2026, 1, 31))
    text, params = queries.usage_of_partner(scope, scope, period, LATER.date())()

    async def explain(conn: Connection) -> list[str]:
        cursor = await conn.execute(f"explain (costs off) {text}", params)
        return [line for (line,) in await cursor.fetchall()]

    plan = await cast.database.run(explain)
    assert plan[0] == "Nested Loop Left Join", "a sort on top would hold back every row until the last is made"
    stored = plan[next(n for n, line in enumerate(plan) if "SubPlan 1" in line) :]
    stored = stored[: next(n for n, line in enumerate(stored) if n and "SubPlan" in line)]
    assert any("daily_usage_2026_01" in line for line in stored)
    assert not any("daily_usage_2026_02" in line for line in stored), "months outside the period are left alone"

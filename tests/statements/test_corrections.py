"""What is written of a month while it is frozen, and afterwards."""

import asyncio
from asyncio import Task
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, TypeAlias
from uuid import UUID, uuid4

import pytest

from tests.cast import TB, Cast
from tests.statements.months import APRIL, MARCH, Sellers, sellers
from tests.usage.steps import at, numbered, purge, record
from tonnage.access.actor import Actor
from tonnage.access.idempotent_request import IdempotentRequest
from tonnage.billing_profiles import settings_actions as settings
from tonnage.billing_profiles.tax import TaxRate
from tonnage.db import Connection
from tonnage.errors import Conflict
from tonnage.month_end.freezing import FreezeResult
from tonnage.month_end.freezing_actions import freeze, freeze_due
from tonnage.month_end.freezing_queries import begin_close, end_frozen, have_ended, own_transaction
from tonnage.partners.actions import close_partner, update_partner
from tonnage.partners.partner import PartnerChange
from tonnage.price_books import actions as price_books
from tonnage.price_books.assignment import SubjectKind
from tonnage.price_books.version import NewVersion, Prices
from tonnage.statements import checks
from tonnage.statements.adjustment_actions import find_adjustment
from tonnage.statements.frozen_queries import verify
from tonnage.usage.actions import record_samples

pytestmark = [pytest.mark.anyio, pytest.mark.oldest_postgresql]

MAY = at("2026-05-03")
ADJUSTMENTS = "coalesce(contract_id::text, partner_id::text, account_id::text), amount, remaining, month"


@pytest.fixture
async def data(cast: Cast) -> Sellers:
    found = await sellers(cast)
    for seller in (cast.operator, found.distributor, found.partner):
        await found.describe(seller)
    await found.price(found.distributor)
    await found.price(found.partner)
    await found.describe_account()
    return found


async def frozen(data: Sellers) -> set[Any]:
    """A digest of each frozen statement."""
    return {row[0] for row in await data.rows("md5(s::text), number") if row[1] is not None}


async def adjustments(data: Sellers, *sellers: Actor) -> list[Any]:
    async with data.cast.database.streams.connection() as conn:
        cursor = await conn.execute(
            f"select {ADJUSTMENTS} from adjustment where seller_id = any(%s) order by seq".encode(),
            [[seller.organisation_id for seller in sellers]],
        )
        return await cursor.fetchall()


async def lines(data: Sellers, seller: Actor, first: date) -> list[Any]:
    async with data.cast.database.streams.connection() as conn:
        cursor = await conn.execute(
            "select l.product, l.amount from statement s join statement_line l on l.statement_id = s.id"
            " where s.seller_id = %s and s.month = %s and s.number is not null order by s.number, l.no",
            [seller.organisation_id, first],
        )
        return await cursor.fetchall()


async def test_late_usage_is_charged_with_the_next_month(data: Sellers) -> None:
    """A TB more from the 20th on: 12 TB-days / 31 = 387.096774194 GB-months, for each of the three sellers."""
    every = (data.cast.operator, data.distributor, data.partner)
    for seller in every:
        await data.freeze(seller)
    before = await frozen(data)
    await data.store(12 * TB)
    await freeze_due(data.services, at("2026-04-28"))
    mine = {str(one) for one in (data.contract, data.partner.organisation_id, data.account)}
    made = [row for row in await adjustments(data, *every) if row[0] in mine]
    cents = {str(data.contract): Decimal("387.10"), str(data.partner.organisation_id): Decimal("7.74")}
    assert {row[0]: row[1] for row in made} == cents | {str(data.account): Decimal("7.74")}
    assert {(row[1] == row[2], row[3]) for row in made} == {(True, MARCH)}
    assert before <= await frozen(data)

    await data.store(12 * TB)
    await freeze_due(data.services, at("2026-04-29"))
    assert [row for row in await adjustments(data, *every) if row[0] in mine] == made

    await freeze(data.services, data.distributor, date(2026, 4, 1), MAY)
    assert await lines(data, data.distributor, date(2026, 4, 1)) == [
        ("reserved", Decimal("90.00")),
        ("excess", Decimal("40.00")),
        ("adjustment", Decimal("7.74")),
    ]
    assert [row[2] for row in await adjustments(data, data.distributor)] == [0]
    statements = await data.rows("id, gross", data.distributor)
    assert sorted(row[1] for row in statements if row[1] > 137.74) == [Decimal("163.91")]
    assert await data.cast.database.run(verify, [row[0] for row in statements]) == {}


async def test_what_is_charged_less_is_taken_off_as_far_as_it_fits(data: Sellers) -> None:
    """Nothing was stored in March: 20.00 less. April costs 10.00 with another book, May the same, June what is left."""
    await data.freeze(data.distributor)
    low = await data.price(data.distributor, excess="0.5")
    await data.assign(data.distributor, SubjectKind.CONTRACT, data.contract, low, date(2026, 4, 1))
    await record(data.cast, (data.account, at("2026-03-01"), 0), (data.account, at("2026-04-01"), 12 * TB), now=APRIL)
    charged: list[list[Any]] = []
    for month, now in [("2026-04-01", "2026-05-03"), ("2026-05-01", "2026-06-03"), ("2026-06-01", "2026-07-03")]:
        await freeze(data.services, data.distributor, date.fromisoformat(month), at(now))
        charged.append(await lines(data, data.distributor, date.fromisoformat(month)))
    excess = ("excess", Decimal("10.00"))
    assert charged == [
        [excess, ("adjustment", Decimal("-10.00"))],
        [excess, ("adjustment", Decimal("-10.00"))],
        [excess],
    ]
    assert [tuple(row[1:3]) for row in await adjustments(data, data.distributor)] == [(Decimal("-20.00"), 0)]
    numbered = [row[1] for row in await data.rows("corrects, gross", data.distributor) if row[0] is None]
    assert numbered == [Decimal(text) for text in ("130.90", "0.00", "0.00", "11.90")]
    ids = [row[0] for row in await data.rows("id", data.distributor)]
    assert await data.cast.database.run(verify, ids) == {}


async def test_prices_that_are_corrected(data: Sellers) -> None:
    """Twice: the second adjustment is the difference to the first correction."""
    await data.freeze(data.distributor)
    for cents, amounts in [("3", ["10.00"]), ("4", ["10.00", "10.00"]), ("4", ["10.00", "10.00"])]:
        await data.reprice(data.distributor, reserved="0.9", excess=cents)
        await freeze_due(data.services, at("2026-04-28"))
        assert [row[1] for row in await adjustments(data, data.distributor)] == [Decimal(one) for one in amounts]


async def test_a_buyer_without_a_further_statement_gets_one(data: Sellers) -> None:
    """Its account was purged and it was closed in March: the next statement has nothing but the adjustment."""
    ended, partner = at("2026-03-31"), data.partner.organisation_id
    await purge(data.cast, data.partner, data.account, ended)
    await data.cast.database.run(close_partner, data.distributor, partner, ended)
    await data.freeze(data.distributor)
    await data.reprice(data.distributor, reserved="0.9", excess="3")
    await freeze(data.services, data.distributor, date(2026, 4, 1), MAY)
    assert await lines(data, data.distributor, date(2026, 4, 1)) == [("adjustment", Decimal("9.68"))]


async def test_who_had_no_statement_gets_an_adjustment(data: Sellers) -> None:
    """Late usage of a month in which a partner had used nothing, twice."""
    quinn = await data.another("Quinn")
    await data.describe(quinn)
    account = (await data.cast.row("select id from storage_account where partner_id = %s", quinn.organisation_id))[0]
    await record(data.cast, (account, at("2026-03-01"), 0), now=APRIL)
    assert len((await data.freeze(data.distributor)).numbers) == 1
    await record(data.cast, (account, at("2026-03-01"), TB), now=APRIL)
    await freeze_due(data.services, at("2026-04-28"))
    of_quinn = "select array_agg(amount order by seq), sum(remaining) from adjustment where partner_id = %s"
    assert await data.cast.row(of_quinn, quinn.organisation_id) == ([Decimal("20.00")], Decimal("20.00"))
    await record(data.cast, (account, at("2026-03-16"), 0), now=at("2026-04-28"))
    await freeze_due(data.services, at("2026-05-05"))
    made = [Decimal("20.00"), Decimal("-10.32")]
    assert await data.cast.row(of_quinn, quinn.organisation_id) == (made, Decimal(0))
    names = "document ->> 'buyerName', to_char(month, 'YYYY-MM'), net"
    frozen = [row for row in await data.rows(f"{names}, number", data.distributor) if row[0] == "Quinn" and row[3]]
    assert [row[:3] for row in frozen] == [("Quinn", "2026-04", Decimal("9.68"))]
    ids = [row[0] for row in await data.rows("id", data.distributor)]
    assert await data.cast.database.run(verify, ids) == {}
    found = await data.cast.database.run(checks.corrections)
    assert not {one.subject for one in found.differences} & set(map(str, ids))
    first, second = await data.cast.row(
        "select min(id::text) filter (where amount > 0), min(id::text) filter (where amount < 0) from adjustment "
        "where partner_id = %s",
        quinn.organisation_id,
    )
    before, after = [], [Decimal("20.00")]
    for one in (first, second):
        shown = await data.cast.database.run(find_adjustment, data.distributor.organisation_id, UUID(one))
        assert [Decimal(line["amount"]) for line in shown["before"]] == before
        assert [Decimal(line["amount"]) for line in shown["after"]] == after
        assert "statement" not in shown
        before, after = after, [Decimal("9.68")]


async def test_a_partner_that_assigns_a_book_to_itself(data: Sellers) -> None:
    """To all of its accounts: 1 TB at 0.9 reserved before; 10 TB beyond it at 3 instead of 2 cents."""
    book = await data.price(data.partner, excess="3")
    await data.freeze(data.partner)
    await data.assign(data.partner, SubjectKind.PARTNER, data.partner.organisation_id, book, MARCH)
    await freeze_due(data.services, at("2026-04-28"))
    assert [row[1] for row in await adjustments(data, data.partner)] == [Decimal("91.00")]


@pytest.mark.parametrize(
    "state",
    ["delete from month_close where seller_id = %s", "update month_close set in_progress = true where seller_id = %s"],
)
async def test_a_month_that_another_process_has_left(data: Sellers, state: str) -> None:
    """One that was frozen again, and ended in the middle of that; or of a version that knew no closed months, and has
    given a number since."""
    await data.freeze(data.distributor)
    await data.cast.row(f"{state} returning 1", data.distributor.organisation_id)
    if state.startswith("delete"):
        await data.cast.row(
            "update statement set paid_on = '2026-04-04', payment_reference = 'x' where seller_id = %s returning 1",
            data.distributor.organisation_id,
        )
    await data.reprice(data.distributor, reserved="0.9", excess="3")
    await freeze_due(data.services, at("2026-05-02"))
    assert [row[1] for row in await adjustments(data, data.distributor)] == [Decimal("10.00")]


async def test_a_request_for_a_month_has_the_response_of_that_month(data: Sellers) -> None:
    """Although an earlier one is corrected first; here the later one cannot be frozen."""
    await data.freeze(data.distributor)
    await data.reprice(data.distributor, reserved="0.9", excess="3")
    await data.cast.row(
        "update statement_series set last_number = 0 where seller_id = %s returning 1", data.distributor.organisation_id
    )
    key = f"{uuid4()}"
    request = IdempotentRequest(key, uuid4(), b"d", 200, datetime.now(UTC))
    actor = replace(data.distributor, request=request, via="key", via_id=uuid4())
    with pytest.raises(Conflict, match="gives one that another statement has"):
        await freeze(data.services, actor, date(2026, 4, 1), MAY)
    kept = await data.cast.row("select count(*) from idempotency_key where key = %s", key)
    assert kept == (0,)
    assert [row[1] for row in await adjustments(data, data.distributor)] == [Decimal("10.00")]


async def test_prices_in_two_currencies_are_corrected_later(data: Sellers) -> None:
    """What cannot be computed now does not keep the month from being frozen, and is not forgotten."""
    await data.freeze(data.distributor)
    dollars = await data.price(data.distributor, "USD", excess="3")
    await data.cast.row(
        "insert into price_assignment (seller_id, contract_id, book_id, valid_from, assigned_at)"
        " values (%s, %s, %s, '2026-03-10', now()) returning id",
        data.distributor.organisation_id,
        data.contract,
        dollars,
    )
    await data.freeze(data.distributor)
    assert await changes(data) == [(MARCH,)]
    await data.assign(data.distributor, SubjectKind.CONTRACT, data.contract, dollars, MARCH)
    await freeze_due(data.services, at("2026-04-28"))
    assert [row[1] for row in await adjustments(data, data.distributor)] == [Decimal("-110.00"), Decimal("30.00")]


async def test_a_writer_that_began_before_the_month_was_closed(data: Sellers) -> None:
    """Its id is higher than that of the transaction that closes the month, which commits first."""
    pool, seller = data.cast.database.pool, data.distributor.organisation_id
    async with pool.connection() as closing, pool.connection() as writer, pool.connection() as freezing:
        async with writer.transaction(force_rollback=True):
            async with closing.transaction():
                await begin_close(closing, seller, MARCH)
                await more_usage(data, writer)
            begun, ended = await own_transaction(freezing)
            assert not ended
            assert not await have_ended(freezing, begun)
        assert await have_ended(freezing, begun)
        assert (await own_transaction(freezing))[1]


async def test_changes_of_open_months_are_not_noted(data: Sellers) -> None:
    await record(data.cast, (data.account, at("2026-04-01"), 11 * TB), now=APRIL)
    await data.freeze(data.distributor)
    await record(data.cast, (data.account, at("2026-04-02"), 13 * TB), now=APRIL)
    await allocate(data, APRIL)
    await data.price(data.distributor, excess="5", since=date(2026, 4, 4))
    await data.describe(data.distributor, vat_id="DE129273398")
    assert await changes(data) == []


_NOTED = {
    "daily_usage": "update daily_usage set usage = usage + 1 where account_id = {account} and day = '2026-03-05'",
    "daily_traffic": "insert into daily_traffic (account_id, day, sent, received, requests)"
    " values ({account}, '2026-03-05', 1, 1, 1)",
    "contract_terms": "insert into contract_terms (contract_id, valid_from, reserved_capacity, price_cents, currency)"
    " values ('{contract}', '2026-03-05Z', 1, 1, 'EUR')",
    "partner_terms": "insert into partner_terms (partner_id, valid_from, contract_id, allocated_capacity,"
    " allow_overdraft) values ('{partner}', '2026-03-05Z', '{contract}', 1, false)",
    "account_terms": "insert into account_terms (account_id, valid_from, allocated_capacity, allow_overdraft)"
    " values ({account}, '2026-03-05Z', 1, false)",
    "price_assignment": "insert into price_assignment (seller_id, partner_id, valid_from, assigned_at)"
    " values ('{distributor}', '{partner}', '2026-03-05', now())",
    "price_version": "insert into price_version (book_id, number, valid_from, prorate_minimums, created_at,"
    " published_at, publication) select id, 9, '2026-03-05', true, now(), now(), 9 from price_book"
    " where seller_id = '{distributor}'",
    "billing_profile": "update billing_profile set changed_at = now() where organisation_id = '{partner}'",
    "seller_settings": "update seller_settings set footer = 'x' where organisation_id = '{distributor}'",
    "tax_rate": "delete from tax_rate where organisation_id = '{distributor}'",
}
"""A change of March, by table, as no action makes it: of all tables that statements are computed from."""

_WHOSE = {
    "daily_usage": "operator distributor partner",
    "daily_traffic": "operator distributor partner",
    "contract_terms": "operator",
    "partner_terms": "operator distributor",
    "account_terms": "partner",
    "billing_profile": "operator distributor partner",
}
"""Whose statements may be others then; of the other tables the distributor's."""


async def test_changes_are_noted_for_each_seller_that_they_concern(data: Sellers) -> None:
    """While March is being frozen; February is frozen."""
    cast = data.cast
    every = {"operator": cast.operator, "distributor": data.distributor, "partner": data.partner}
    ids = {name: actor.organisation_id for name, actor in every.items()}
    await record(cast, (data.account, at("2026-04-01"), 11 * TB), now=APRIL)
    await data.number(data.distributor)

    async def noted(conn: Connection, change: str) -> list[Any]:
        async with conn.transaction(force_rollback=True):
            await conn.execute(change.format(account=data.account, contract=data.contract, **ids).encode())
            return await (await conn.execute("select distinct seller_id, month from month_change")).fetchall()

    async def all_noted(conn: Connection) -> dict[str, list[Any]]:
        async with conn.transaction(force_rollback=True):
            await conn.execute("delete from month_close")
            for seller in ids.values():
                await begin_close(conn, seller, date(2026, 2, 1))
                await end_frozen(conn, FreezeResult(seller, date(2026, 2, 1), (), ()), cast.operator.stamp)
                await begin_close(conn, seller, MARCH)
            await conn.execute("delete from month_change")
            return {table: sorted(await noted(conn, change)) for table, change in _NOTED.items()}

    found = await cast.database.transaction(all_noted)
    assert found == {
        table: sorted((ids[name], MARCH) for name in _WHOSE.get(table, "distributor").split()) for table in _NOTED
    }
    triggers = await cast.row(
        "select array_agg(distinct c.relname::text) from pg_trigger t join pg_class c on c.oid = t.tgrelid"
        " where t.tgname like 'month_change%%' and not c.relispartition"
    )
    assert set(triggers[0]) == set(_NOTED)


async def changes(data: Sellers) -> list[Any]:
    async with data.cast.database.streams.connection() as conn:
        cursor = await conn.execute(
            "select month from month_change where seller_id = %s", [data.distributor.organisation_id]
        )
        return await cursor.fetchall()


async def allocate(data: Sellers, now: datetime, conn: Connection | None = None) -> None:
    """20 TB instead of 10."""
    change, partner = PartnerChange(allocated_capacity=20 * TB), data.partner.organisation_id
    if conn is not None:
        await update_partner(conn, data.distributor, partner, change, now)
    else:
        await data.cast.database.run(update_partner, data.distributor, partner, change, now)


async def more_usage(data: Sellers, conn: Connection) -> None:
    await record_samples(conn, numbered([(data.account, at("2026-03-01"), 12 * TB)]), APRIL)


async def a_late_allocation(data: Sellers, conn: Connection) -> None:
    await allocate(data, at("2026-03-01"), conn)


async def other_prices(data: Sellers, conn: Connection) -> None:
    book = (await data.cast.row("select id from price_book where seller_id = %s", data.distributor.organisation_id))[0]
    prices = Prices(excess=Decimal(13))
    number, _ = await price_books.add_version(conn, data.distributor, book, NewVersion(MARCH, prices), APRIL)
    await price_books.publish(conn, data.distributor, book, number, APRIL, correct=True)


async def another_rate(data: Sellers, conn: Connection) -> None:
    rates = [TaxRate(date(2020, 1, 1), Decimal(7))]
    await settings.set_tax_rates(conn, data.distributor, rates, APRIL)


Change: TypeAlias = Callable[[Sellers, Connection], Awaitable[None]]


async def until(met: Callable[[], Awaitable[bool]], task: Task[Any]) -> None:
    """Until it is met, or the task has ended without that."""
    for _ in range(3000):
        if task.done() or await met():
            return
        await asyncio.sleep(0.01)
    pytest.fail("it is not met, and the task has not ended")


@pytest.mark.parametrize(
    ("change", "gross"),
    [
        (more_usage, "154.70"),
        (a_late_allocation, "214.20"),
        (other_prices, "154.70"),
        (another_rate, "117.70"),
    ],
)
@pytest.mark.parametrize("begun", ["before the freeze", "after the snapshot"])
async def test_what_is_written_before_the_numbers_is_in_the_statement(
    data: Sellers, change: Change, gross: str, begun: str
) -> None:
    """By a transaction that had begun to write before the month was marked, for which the freeze waits; or by one that
    commits after the snapshot was taken, whereupon it is computed again. That one keeps the freeze from the table of
    changes until it has committed."""
    blocked, ready = asyncio.Event(), asyncio.Event()

    async def write(conn: Connection) -> None:
        if begun == "before the freeze":
            await change(data, conn)
        else:
            await conn.execute("lock table month_change in share mode")
        ready.set()
        await blocked.wait()
        if begun == "after the snapshot":
            await change(data, conn)

    async def is_waiting() -> bool:
        condition = (
            "exists (select from pg_stat_activity where query like '%%pg_snapshot_xmin%%' and pid <> pg_backend_pid())"
            if begun == "before the freeze"
            else "exists (select from pg_locks where relation = 'month_change'::regclass and not granted)"
        )
        return (await data.cast.row(f"select {condition}"))[0]

    writing = asyncio.create_task(data.cast.database.transaction(write))
    await ready.wait()
    freezing = asyncio.create_task(data.freeze(data.distributor))
    await until(is_waiting, freezing)
    blocked.set()
    await writing
    await freezing
    assert await data.rows("gross", data.distributor) == [(Decimal(gross),)]
    assert await changes(data) == []

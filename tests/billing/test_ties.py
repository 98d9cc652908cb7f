"""Of two terms of one instant the later written counts, in every query plan."""

import json
from collections.abc import Awaitable, Callable
from datetime import date
from decimal import Decimal
from typing import LiteralString, TypeVar

import pytest

from tests.cast import TB, Cast
from tests.usage.steps import PartnerData, at, partner_data, record
from tonnage.billing.line import Line
from tonnage.billing.month import Month, Span, spans
from tonnage.billing.queries import charge_contract, charge_for_partner
from tonnage.db import Connection
from tonnage.money import Money
from tonnage.usage.lists import daily_of_account, daily_of_partner
from tonnage.usage.period import Period
from tonnage.usage.queries import usage_of_account

pytestmark = [pytest.mark.anyio, pytest.mark.oldest_postgresql]

T = TypeVar("T")
TODAY = date(2026, 2, 10)
INSTANT = at("2026-02-02", "12:00:00")
USED = 28 * 10**9
PLANS: list[LiteralString] = [
    "set local enable_seqscan = off",  # an index returns the rows in the order of writing
    "set local enable_indexscan = off; set local enable_bitmapscan = off",  # a table scan returns physical order
]


async def planned(cast: Cast, plan: LiteralString, work: Callable[[Connection], Awaitable[T]]) -> T:
    async def so_planned(conn: Connection) -> T:
        await conn.execute(plan)
        return await work(conn)

    return await cast.database.transaction(so_planned)


_PARTNER_TERMS: LiteralString = """
    insert into partner_terms (id, partner_id, valid_from, contract_id, allocated_capacity, allow_overdraft)
    overriding system value select %(id)s, %(subject)s, %(since)s, contract_id, %(value)s, false
    from partner where id = %(subject)s"""
_PRICES: LiteralString = """
    insert into contract_terms (id, contract_id, valid_from, reserved_capacity, price_cents, currency)
    overriding system value select %(id)s, %(subject)s, %(since)s, reserved_capacity, %(value)s, currency
    from contract where id = %(subject)s"""
_ACCOUNT_TERMS: LiteralString = """
    insert into account_terms (id, account_id, valid_from, allocated_capacity, allow_overdraft)
    overriding system value values (%(id)s, %(subject)s, %(since)s, %(value)s, false)"""


async def write(cast: Cast, table: str, insert: LiteralString, subject: object, *, earlier: int, later: int) -> None:
    """The row written later, with the higher id, comes first in the table."""
    ids = await cast.row("select nextval(s), nextval(s) from pg_get_serial_sequence(%s, 'id') s", table)
    for number, value in sorted(zip(ids, (earlier, later), strict=True), reverse=True):
        parameters = {"id": number, "subject": subject, "since": INSTANT, "value": value}

        async def one(conn: Connection, parameters: dict[str, object] = parameters) -> None:
            await conn.execute(insert, parameters)

        await cast.database.run(one)


async def used(cast: Cast) -> tuple[PartnerData, int]:
    data = await partner_data(cast)
    account = await cast.account(data.partner)
    await record(cast, (account, at("2026-02-10"), USED))
    return data, account


async def lines(conn: Connection, cast: Cast, data: PartnerData) -> list[Line]:
    """Of the contract, and of the partner under it."""
    operator, month = cast.operator.organisation_id, Month.of(TODAY, TODAY)
    charges = await charge_contract(conn, operator, data.contract, month)
    return [*charges.lines, *await charge_for_partner(conn, operator, data.partner.organisation_id, month)]


@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize(("earlier", "later", "excess"), [(TB, 0, USED), (0, TB, 0), (TB, USED - 28, 28)])
async def test_the_allocation_of_a_partner(
    cast: Cast, plan: LiteralString, earlier: int, later: int, excess: int
) -> None:
    data, _ = await used(cast)
    own = data.partner.organisation_id
    await write(cast, "partner_terms", _PARTNER_TERMS, own, earlier=earlier, later=later)
    found = await planned(cast, plan, lambda conn: lines(conn, cast, data))
    assert [line.byte_days for line in found] == ([excess] * 2 if excess else [])
    (day,) = await planned(cast, plan, lambda conn: daily_of_partner(conn, None, own, Period(TODAY, TODAY), TODAY))
    assert (day.allocated, day.excess) == (later, excess)


@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize(("earlier", "later", "fee"), [(100, 300, 3), (300, 100, 1)])
async def test_the_price_of_a_contract(cast: Cast, plan: LiteralString, earlier: int, later: int, fee: int) -> None:
    data, _ = await used(cast)
    await write(cast, "contract_terms", _PRICES, data.contract, earlier=earlier, later=later)
    found = await planned(cast, plan, lambda conn: lines(conn, cast, data))
    assert [line.amount for line in found] == [Money(Decimal(fee), "EUR")] * 2


@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize(("earlier", "later"), [(1, 2), (2, 1)])
async def test_the_allocation_of_an_account(cast: Cast, plan: LiteralString, earlier: int, later: int) -> None:
    data, account = await used(cast)
    await write(cast, "account_terms", _ACCOUNT_TERMS, account, earlier=earlier, later=later)
    period = Period(TODAY, TODAY)
    (day,) = await planned(cast, plan, lambda conn: daily_of_account(conn, None, account, period, TODAY))
    assert day.allocated == later
    own = data.partner.organisation_id
    report = await planned(cast, plan, lambda conn: usage_of_account(conn, own, own, account, period, TODAY))
    assert [day["allocated_capacity"] for day in json.loads(report or b"")["daily_usage"]] == [later]


def test_the_pure_rating() -> None:
    written = [(2, "one"), (-30, "before"), (2, "two"), (11, "after")]
    assert spans(written, 10) == [Span(0, 2, "before"), Span(2, 10, "two")]
    assert spans(reversed(written), 10) == [Span(0, 2, "before"), Span(2, 10, "one")]
    assert spans([(11, "after")], 10) == []

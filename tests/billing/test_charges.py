"""What contracts are charged, twice: by the product, and by a model that shares no code with it."""

import random
from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple
from uuid import UUID

import pytest

from tests.billing.histories import FIRST, TODAY, History, amend, move, random_history, resize
from tests.billing.model import LineModel
from tests.cast import TB, Cast
from tests.usage.steps import OPENED, at, partner_data, purge, record
from tonnage.access.actor import Actor
from tonnage.billing.line import Line, amount_of
from tonnage.billing.month import Month, gb_months
from tonnage.billing.queries import charge_contract, charge_for_partner
from tonnage.money import Money, total
from tonnage.partners import actions as partners
from tonnage.usage.lists import daily_of_partner
from tonnage.usage.period import Period

pytestmark = [pytest.mark.anyio, pytest.mark.oldest_postgresql]

GB = 10**9
MONTH = Month.of(FIRST, TODAY)


class Charged(NamedTuple):
    """The sum of lines."""

    byte_days: int
    amount: Money


async def of_contract(cast: Cast, contract: UUID, month: Month = MONTH) -> Charged:
    charges = await cast.database.run(charge_contract, cast.operator.organisation_id, contract, month)
    return summed(charges.lines, charges.buyer.currency)


async def of_partner(cast: Cast, partner: Actor) -> Charged:
    """Under all contracts."""
    operator = cast.operator.organisation_id
    lines = await cast.database.run(charge_for_partner, operator, partner.organisation_id, MONTH)
    return summed(lines, "EUR")


def summed(lines: Iterable[Line], currency: str) -> Charged:
    found = list(lines)
    return Charged(sum(line.byte_days for line in found), total((line.amount for line in found), currency))


def charged(byte_days: int, amount: str, currency: str = "EUR") -> Charged:
    return Charged(byte_days, Money(Decimal(amount), currency))


async def rated_byte_days(history: History) -> dict[tuple[Any, Any, Fraction], int]:
    """By the pure rating, by partner, contract and price. It has lines of their own for excess and pay-per-use."""
    found: dict[tuple[Any, Any, Fraction], int] = defaultdict(int)
    month = Month.of(FIRST, TODAY)
    for contract in history.model.prices:
        operator = history.cast.operator.organisation_id
        charges = await history.cast.database.run(charge_contract, operator, contract, month)
        for line in charges.lines:
            found[line.subject_id, line.contract_id, Fraction(line.unit_price or 0)] += line.byte_days
    return found


@pytest.mark.parametrize("seed", range(15))
async def test_random_months(cast: Cast, seed: int) -> None:
    rng = random.Random(seed)
    currency, minor_units = [("EUR", 100), ("JPY", 1), ("KWD", 1000)][seed % 3]
    history = await random_history(cast, rng, currency)
    model = {partner: history.model.lines(partner, FIRST, TODAY) for partner in history.model.terms}
    expected: dict[tuple[Any, Any, Fraction], int] = defaultdict(int)
    for partner, lines in model.items():
        for line in lines:
            expected[partner, line.contract, line.price] += line.byte_days
    assert await rated_byte_days(history) == expected
    for partner in history.model.terms:
        days = await cast.database.run(daily_of_partner, None, partner, Period(FIRST, TODAY), TODAY)
        assert [day.allocated for day in days] == [history.model.allocated(partner, day.day) for day in days]
    await assert_totals(history, model, minor_units)


async def assert_totals(history: History, model: dict[UUID, list[LineModel]], minor_units: int) -> None:
    """Every total is the sum of its lines; those about a partner add up, too."""
    cast, every = history.cast, [line for lines in model.values() for line in lines]
    for contract in history.model.prices:
        lines = [line for line in every if line.contract == contract]
        byte_days, amount = await of_contract(cast, contract)
        assert byte_days == sum(line.byte_days for line in lines)
        assert Fraction(amount.amount) == Fraction(sum(line.minor_units for line in lines), minor_units)
        assert amount.currency == history.model.currency
    for partner, lines in model.items():
        found = await cast.database.run(charge_for_partner, cast.operator.organisation_id, partner, MONTH)
        assert sum(Fraction(line.amount.amount) for line in found) == Fraction(
            sum(line.minor_units for line in lines), minor_units
        )


async def test_a_partner_that_moved_costs_the_same_for_everybody(cast: Cast) -> None:
    """Half a cent under each of two contracts: 14 GB on one of 28 days each, at one cent per GB-month."""
    data = await partner_data(cast)
    other = await cast.contract(data.distributor)
    for contract in (data.contract, other):
        await amend(cast, contract, "1", OPENED)
    account = await cast.account(data.partner)
    await record(cast, (account, at("2026-02-03"), 14 * GB), (account, at("2026-02-05"), 0))
    await move(cast, data.distributor, data.partner, other, at("2026-02-04"))
    cent, two = charged(14 * GB, "0.01"), charged(28 * GB, "0.02")
    assert [await of_contract(cast, contract) for contract in (data.contract, other)] == [cent, cent]
    assert await of_partner(cast, data.partner) == two


async def test_a_line_has_one_price_and_is_rounded_once(cast: Cast) -> None:
    """Days of a price that applies again belong to its first line; days of another price have another line."""
    data = await partner_data(cast)
    await amend(cast, data.contract, "1", OPENED)
    account = await cast.account(data.partner)
    await record(cast, (account, at("2026-02-03"), 14 * GB), (account, at("2026-02-06"), 0))
    await amend(cast, data.contract, "0.5", at("2026-02-04"))
    await amend(cast, data.contract, "1", at("2026-02-05"))
    assert await of_contract(cast, data.contract) == charged(3 * 14 * GB, "0.01")  # 1.00 and 0.25 cents
    await amend(cast, data.contract, "2", at("2026-02-05"))
    assert await of_contract(cast, data.contract) == charged(3 * 14 * GB, "0.02")  # 0.50, 0.25 and 1.00 cents


@pytest.mark.parametrize(("currency", "fee"), [("EUR", "500.06"), ("JPY", "500"), ("KWD", "500.062")])
async def test_a_fee_has_the_digits_of_its_currency(cast: Cast, currency: str, fee: str) -> None:
    data = await partner_data(cast)
    contract = await cast.contract(data.distributor, currency=currency)
    partner = await cast.partner(data.distributor, contract)
    await amend(cast, contract, "50006.15", OPENED)
    await record(cast, (await cast.account(partner), at("2026-02-24"), 28 * GB))
    assert await of_contract(cast, contract) == charged(28 * GB, fee, currency)


async def test_half_a_cent_is_rounded_away_from_zero_once_per_partner(cast: Cast) -> None:
    data = await partner_data(cast)
    await amend(cast, data.contract, "1", OPENED)
    owners = [data.partner, await cast.partner(data.distributor, data.contract)]
    for owner in owners:
        account = await cast.account(owner)
        await record(cast, (account, at("2026-02-03"), 14 * GB), (account, at("2026-02-04"), 0))
    assert await of_contract(cast, data.contract) == charged(28 * GB, "0.02")
    await resize(cast, data.distributor, owners[0], 1, at("2026-02-03"))
    assert await of_contract(cast, data.contract) == charged(28 * GB - 1, "0.01")


async def test_an_amount_just_below_the_half_is_rounded_down(cast: Cast) -> None:
    """By less than 10^-16 of a cent, in an amount of 18 digits: a quotient that is rounded first would be the half."""
    data = await partner_data(cast)
    whole, price = 28 * 10**15, 10**18 - 3  # of 28 days, and in millionths of a cent
    used = pow(price, -1, whole) * (whole // 2 - 1) % whole
    cents, rest = divmod(used * price, whole)
    assert (rest, len(str(cents))) == (whole // 2 - 1, 18)
    await amend(cast, data.contract, "999999999999.999997", OPENED)
    await record(cast, (await cast.account(data.partner), at("2026-02-24"), used))
    assert await of_contract(cast, data.contract) == charged(used, str(Decimal(cents).scaleb(-2)))
    exact = amount_of(gb_months(used, TODAY), Decimal("999999999999.999997"), "EUR")
    assert exact.amount == Decimal(cents).scaleb(-2)


async def test_the_most_that_can_be_used_at_the_highest_price(cast: Cast) -> None:
    data = await partner_data(cast)
    contract = await cast.contract(data.distributor, currency="KWD")
    await amend(cast, contract, "999999999999.999999", OPENED)
    partner = await cast.partner(data.distributor, contract)
    for account in [await cast.account(partner) for _ in range(2)]:
        await record(cast, (account, at("2026-01-31"), 2**62 - 1))
    used = 24 * 2 * (2**62 - 1)
    exact = Fraction(used, 28 * GB) * Fraction("999999999999.999999") / 100
    found = await of_contract(cast, contract)
    assert found.byte_days == used
    assert abs(Fraction(found.amount.amount) - exact) <= Fraction(1, 2000)


async def test_a_partner_that_has_closed_is_paid_for(cast: Cast) -> None:
    data = await partner_data(cast)
    account = await cast.account(data.partner)
    await record(cast, (account, at("2026-01-10"), 28 * GB))
    await purge(cast, data.partner, account, at("2026-02-05", "12:00:00"))
    own = data.partner.organisation_id
    await cast.database.run(partners.close_partner, data.distributor, own, at("2026-02-06"))
    assert await of_contract(cast, data.contract) == charged(4 * 28 * GB + 14 * GB, "4.5")
    assert await of_partner(cast, data.partner) == charged(4 * 28 * GB + 14 * GB, "4.5")


async def test_an_empty_contract_costs_nothing(cast: Cast) -> None:
    data = await partner_data(cast)
    empty = await cast.contract(data.distributor)
    assert await of_contract(cast, empty) == charged(0, "0")


async def test_only_the_month_to_date(cast: Cast) -> None:
    """Neither the previous month nor a sample after the day."""
    data = await partner_data(cast)
    account = await cast.account(data.partner)
    await record(
        cast, (account, at("2026-01-31"), 10**15), (account, at("2026-02-01"), 0), (account, at("2026-02-25"), 7)
    )
    assert await of_contract(cast, data.contract) == charged(0, "0")


async def test_the_month_begins_on_its_first_day(cast: Cast) -> None:
    data = await partner_data(cast)
    await record(cast, (await cast.account(data.partner), at("2026-01-31"), 28 * TB))
    found = await of_contract(cast, data.contract, Month.of(FIRST, FIRST))
    assert found == charged(28 * TB, "1000")

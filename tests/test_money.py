"""Amounts, their rounding, and the known currencies."""

import random
import re
from decimal import ROUND_HALF_UP, Context, Decimal
from fractions import Fraction
from typing import Any

import pytest
from babel.core import get_global
from hypothesis import given
from hypothesis import strategies as st
from psycopg.errors import CheckViolation

from tests.cast import TB, Cast
from tonnage.money import CURRENCIES, MixedCurrencies, Money, digits, round_half_away, total, totals

DECIMALS = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**30), max_value=10**30)
WIDE = Context(prec=500)


@pytest.mark.parametrize(
    ("value", "places", "rounded"),
    [
        ("2.675", 2, "2.68"),
        ("-2.675", 2, "-2.68"),
        ("2.674999", 2, "2.67"),
        ("-2.674999", 2, "-2.67"),
        ("0.5", 0, "1"),
        ("-0.5", 0, "-1"),
        ("1.5", 0, "2"),
        ("-0.004", 2, "0.00"),
        ("1E+3", 2, "1000.00"),
    ],
)
def test_rounding_is_half_away_from_zero(value: str, places: int, rounded: str) -> None:
    assert str(round_half_away(Decimal(value), places)) == rounded


def test_fractions_are_rounded_once() -> None:
    """A third of 10^-40 below the half: a decimal of 28 digits would make it the half."""
    below = Fraction(1, 2) - Fraction(1, 3 * 10**40)
    assert (round_half_away(below), round_half_away(-below)) == (0, 0)
    assert (round_half_away(Fraction(1, 2)), round_half_away(Fraction(-1, 2))) == (1, -1)


@given(DECIMALS, st.integers(0, 6))
def test_rounding_is_that_of_the_decimal_module(value: Decimal, places: int) -> None:
    expected = value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP, WIDE)
    assert round_half_away(value, places) == expected
    assert round_half_away(-value, places) == -expected


@pytest.mark.anyio
@pytest.mark.oldest_postgresql
async def test_the_database_rounds_alike(cast: Cast) -> None:
    rng = random.Random(1)
    cases = [(rng.randint(-50, 50), rng.choice([1, 2, 3, 7, 10])) for _ in range(300)]
    cases += [(sign * (10**60 + plus), 2 * 10**30) for sign in (1, -1) for plus in (-(10**30), 10**30 - 1, 10**30)]
    values, divisors = [Decimal(value) for value, _ in cases], [Decimal(divisor) for _, divisor in cases]
    (found,) = await cast.row(
        "select array_agg(round_half_away(v, d) order by n) from unnest(%s::numeric[], %s::numeric[]) "
        "with ordinality t (v, d, n)",
        values,
        divisors,
    )
    assert found == [round_half_away(Fraction(value, divisor)) for value, divisor in cases]


@pytest.mark.parametrize(
    ("amount", "currency", "rounded"),
    [("1935.4838", "JPY", "1935"), ("0.5", "JPY", "1"), ("1.2345", "KWD", "1.235"), ("-2.675", "EUR", "-2.68")],
)
def test_amounts_have_the_digits_of_their_currency(amount: str, currency: str, rounded: str) -> None:
    assert str(Money(Decimal(amount), currency).rounded()) == f"{currency} {rounded}"


def test_amounts_from_minor_units() -> None:
    amounts = [str(Money.of_minor_units(1235, currency)) for currency in ("EUR", "JPY", "KWD")]
    assert amounts == ["EUR 12.35", "JPY 1235", "KWD 1.235"]


@pytest.mark.parametrize("currency", ["XXX", "XTS", "XAU", "XDR", "ZZZ", "USN", "CHE", "DEM", "eur", "EURO", ""])
def test_invalid_currencies(currency: str) -> None:
    with pytest.raises(ValueError, match="is not a currency"):
        Money(Decimal(1), currency)


@pytest.mark.parametrize("amount", [1.5, 1, "1", True])
def test_only_decimals_are_amounts(amount: Any) -> None:
    with pytest.raises(TypeError, match="Decimal"):
        Money(amount, "EUR")


@pytest.mark.parametrize("amount", ["NaN", "Infinity", "-Infinity"])
def test_invalid_amounts(amount: str) -> None:
    with pytest.raises(ValueError, match="not an amount"):
        Money(Decimal(amount), "EUR")


def test_sums_refuse_mixed_currencies() -> None:
    euros, dollars = Money(Decimal(1), "EUR"), Money(Decimal(1), "USD")
    for mixed in (lambda: euros + dollars, lambda: euros - dollars, lambda: total([euros, dollars], "EUR")):
        with pytest.raises(MixedCurrencies):
            mixed()
    assert totals([dollars, euros, dollars]) == [euros, dollars + dollars]
    assert totals([]) == []


@given(DECIMALS, DECIMALS)
def test_sums_are_exact(one: Decimal, other: Decimal) -> None:
    together = Money(one, "EUR") + Money(other, "EUR")
    assert Fraction(together.amount) == Fraction(one) + Fraction(other)
    assert Fraction((together - Money(other, "EUR")).amount) == Fraction(one)
    assert Fraction((-together).amount) == -Fraction(one) - Fraction(other)


def test_zero_is_false() -> None:
    assert not Money.zero("JPY")
    assert str(-Money.zero("EUR")) == "EUR 0.00"
    assert Money(Decimal("0.01"), "EUR")


def test_the_currencies_are_those_that_babel_knows_as_legal_tender() -> None:
    """A new version of Babel may know others: then the list changes, by a migration."""
    tender = {
        code
        for currencies in get_global("territory_currencies").values()
        for code, _, until, is_tender in currencies
        if is_tender and until is None
    }
    assert tender == CURRENCIES
    assert (len(CURRENCIES), digits("EUR"), digits("JPY"), digits("KWD")) == (154, 2, 0, 3)


@pytest.mark.anyio
@pytest.mark.oldest_postgresql
async def test_the_database_has_the_same_currencies(cast: Cast) -> None:
    (constraint,) = await cast.row(
        "select pg_get_constraintdef(oid) from pg_constraint where conname = 'currency_known'"
    )
    assert set(re.findall(r"'(\w+)'", constraint)) == CURRENCIES
    (columns,) = await cast.row(
        """
        select array_agg(table_name || ' ' || domain_name order by table_name) from information_schema.columns
        where column_name = 'currency' and table_schema = 'public'
        """
    )
    assert columns == [
        f"{table} currency"
        for table in ("adjustment", "contract", "contract_terms", "month_net", "price_book", "statement")
    ]


@pytest.mark.anyio
@pytest.mark.parametrize("currency", ["XXX", "ZZZ", "eur"])
async def test_the_database_refuses_what_is_no_currency(cast: Cast, currency: str) -> None:
    distributor = await cast.distributor()
    with pytest.raises(CheckViolation, match="currency_known"):
        await cast.contract(distributor, TB, currency=currency)
    signed = await cast.row("select count(*) from contract where distributor_id = %s", distributor.organisation_id)
    assert signed == (0,)

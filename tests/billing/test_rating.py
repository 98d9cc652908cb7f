"""The rules of charging on single cases, without a database."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

import pytest

from tests.usage.steps import at
from tonnage.billing.excess import PartnerTerms, PriceHistory, PriceTerms, charge, gb_months, rate

A, B = UUID(int=1), UUID(int=2)
GB, TB = 10**9, 10**12
LONG_AGO = at("2026-01-01")


def days(first: str, last: str, used: int) -> dict[date, int]:
    begin, end = date.fromisoformat(first), date.fromisoformat(last)
    return {begin + timedelta(days=number): used for number in range((end - begin).days + 1)}


def terms(*written: tuple[datetime, int], contract: UUID = A) -> list[PartnerTerms]:
    return [PartnerTerms(since, contract, allocated) for since, allocated in written]


def prices(*written: tuple[datetime, str], currency: str = "EUR") -> PriceHistory:
    return PriceHistory(currency, [PriceTerms(since, Decimal(price)) for since, price in written])


@pytest.mark.parametrize(
    ("usage", "history", "price", "fee"),
    [
        # Twelve of 31 days: the denominator is the whole month, even if the usage begins later.
        (days("2026-05-20", "2026-05-31", TB), terms((LONG_AGO, 0)), "10", "EUR 38.71"),
        # Terms of a few hours do not count: those at the end of the day do.
        (
            days("2026-11-03", "2026-11-03", 3 * TB),
            terms((LONG_AGO, TB), (at("2026-11-03", "09:00:00"), 5 * TB), (at("2026-11-03", "10:00:00"), TB)),
            "30",
            "EUR 20.00",
        ),
        # A change at midnight belongs to the day that begins.
        (
            days("2026-11-03", "2026-11-04", 3 * TB),
            terms((LONG_AGO, TB), (at("2026-11-04"), 3 * TB)),
            "30",
            "EUR 20.00",
        ),
        # Leap years.
        (days("2028-02-29", "2028-02-29", 29 * TB), terms((LONG_AGO, 0)), "1", "EUR 10.00"),
        (days("2027-02-28", "2027-02-28", 28 * TB), terms((LONG_AGO, 0)), "1", "EUR 10.00"),
    ],
)
def test_excess_of_days(usage: dict[date, int], history: list[PartnerTerms], price: str, fee: str) -> None:
    (line,) = rate(usage, history, {A: prices((LONG_AGO, price))})
    assert (str(line.amount), line.contract_id, line.unit_price) == (fee, A, Decimal(price))


def test_a_price_change_makes_a_line() -> None:
    changed = prices((LONG_AGO, "10"), (at("2026-11-16"), "12"))
    first, second = rate(days("2026-11-01", "2026-11-30", 3 * TB), terms((LONG_AGO, 2 * TB)), {A: changed})
    assert [str(line.amount) for line in (first, second)] == ["EUR 50.00", "EUR 60.00"]
    assert (first.first, first.last) == (date(2026, 11, 1), date(2026, 11, 15))
    assert (second.first, second.last) == (date(2026, 11, 16), date(2026, 11, 30))
    assert first.byte_days == 15 * TB


def test_of_two_price_changes_on_a_day_the_later_counts() -> None:
    noon = at("2026-11-16", "12:00:00")
    changed = prices((LONG_AGO, "10"), (noon, "12"), (noon, "9"))
    lines = rate(days("2026-11-01", "2026-11-30", TB), terms((LONG_AGO, 0)), {A: changed})
    assert [str(line.amount) for line in lines] == ["EUR 50.00", "EUR 45.00"]


def test_a_move_makes_a_line() -> None:
    moved = [*terms((LONG_AGO, 0)), *terms((at("2026-11-16", "08:00:00"), 0), contract=B)]
    both = {A: prices((LONG_AGO, "10")), B: prices((LONG_AGO, "20"))}
    lines = rate(days("2026-11-01", "2026-11-30", TB), moved, both)
    assert [(line.contract_id, str(line.amount)) for line in lines] == [(A, "EUR 50.00"), (B, "EUR 100.00")]


def test_nothing_is_charged_within_the_allocation_or_before_the_first_terms() -> None:
    price = {A: prices((at("2026-11-10"), "10"))}
    assert rate(days("2026-11-01", "2026-11-30", TB), terms((LONG_AGO, TB)), price) == []
    (line,) = rate(days("2026-11-01", "2026-11-30", TB), terms((at("2026-11-05"), 0)), price)
    assert (line.first, line.byte_days) == (date(2026, 11, 10), 21 * TB)


@pytest.mark.parametrize(
    ("byte_days", "price", "currency", "fee"),
    [
        (6 * 10_000 * GB, "100", "JPY", "JPY 1935"),
        (31 * GB, "123.45", "KWD", "KWD 1.235"),
        (31 * GB // 2, "1", "EUR", "EUR 0.01"),
        (31 * GB // 2 - 1, "1", "EUR", "EUR 0.00"),
        (0, "1", "EUR", "EUR 0.00"),
        (31 * (2**63 - 1), "1000000000000", "EUR", "EUR 92233720368547758070.00"),
    ],
)
def test_a_charge_is_rounded_once(byte_days: int, price: str, currency: str, fee: str) -> None:
    assert str(charge(byte_days, Decimal(price), currency, date(2026, 1, 5))) == fee


def test_gb_months_are_of_the_calendar_month() -> None:
    assert gb_months(28 * GB, date(2027, 2, 1)) == 1
    assert gb_months(28 * GB, date(2028, 2, 29)) == Fraction(28, 29)

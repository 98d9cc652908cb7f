"""Which prices apply on a day of a month."""

from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest

from tonnage.billing.month import BuyerMonth, Capacity, Lifetime, Month, Span
from tonnage.billing.month_prices import CurrencyConflict, priced_buyer, prices_by_day, with_excess
from tonnage.price_books.assignment import Assignment, Book
from tonnage.price_books.price_sources import PriceSources
from tonnage.price_books.version import Prices

PARTNER, CONTRACT = UUID(int=1), UUID(int=2)
NOVEMBER = Month.of(date(2026, 11, 1), date(2027, 1, 1))
OWN, OF_CONTRACT, DEFAULT = Book(UUID(int=10), "EUR"), Book(UUID(int=11), "EUR"), Book(UUID(int=12), "EUR")
DOLLARS = Book(UUID(int=13), "USD")


def price(cents: int) -> Prices:
    return Prices(excess=Decimal(cents))


def day(number: int) -> date:
    return date(2026, 11, number)


VERSIONS = {
    OWN.id: [(day(1), price(1))],
    OF_CONTRACT.id: [(date(2026, 1, 1), price(2)), (day(20), price(3)), (day(20), price(4))],
    DEFAULT.id: [(day(10), price(5))],
    DOLLARS.id: [(day(1), price(6))],
}


def shown(found: list[Span[Prices | None]]) -> list[tuple[int, int, int | None]]:
    return [(one.first + 1, one.until, int(one.value.excess or 0) if one.value else None) for one in found]


def by_day(*assigned: list[Assignment], closed: int | None = None) -> list[tuple[int, int, int | None]]:
    sources = PriceSources({}, DEFAULT, VERSIONS)
    return shown(prices_by_day(sources, assigned, DEFAULT, NOVEMBER, closed))


def test_the_nearest_book_counts_and_of_versions_of_a_day_the_later_published() -> None:
    own = [Assignment(day(25), OWN)]
    of_contract = [Assignment(date(2026, 3, 1), OF_CONTRACT)]
    assert by_day(own, of_contract) == [(1, 19, 2), (20, 24, 4), (25, 30, 1)]


def test_without_a_version_nothing_is_sold() -> None:
    assert by_day() == [(1, 9, None), (10, 30, 5)]


def test_of_two_assignments_of_a_day_the_later_counts() -> None:
    assert by_day([Assignment(day(5), OF_CONTRACT), Assignment(day(5), OWN)]) == [(1, 4, None), (5, 30, 1)]


def test_an_assignment_can_end() -> None:
    own = [Assignment(day(1), OWN), Assignment(day(15), None)]
    assert by_day(own, [Assignment(day(1), OF_CONTRACT)]) == [(1, 14, 1), (15, 19, 2), (20, 30, 4)]


@pytest.mark.parametrize(
    ("closed", "prices"),
    [(19, [(1, 19, 2), (20, 30, 2)]), (20, [(1, 19, 2), (20, 20, 4), (21, 30, 4)]), (0, [(1, 30, 2)])],
)
def test_after_its_end_a_buyer_pays_the_prices_of_its_last_day(closed: int, prices: list[tuple[int, int, int]]) -> None:
    assert by_day([Assignment(date(2026, 3, 1), OF_CONTRACT)], closed=closed) == prices


def test_the_price_of_excess_in_a_contract_counts() -> None:
    of_book: list[Span[Prices | None]] = [Span(0, 10, None), Span(10, 30, Prices(Decimal(9), Decimal(8)))]
    found = with_excess(of_book, [Span(0, 20, Decimal(1)), Span(20, 30, Decimal(2))])
    assert [(one.first, one.value and (one.value.reserved, one.value.excess)) for one in found] == [
        (0, (None, 1)),
        (10, (9, 1)),
        (20, (9, 2)),
    ]


def priced(*assigned: Assignment, closed: int | None = None) -> BuyerMonth | CurrencyConflict | None:
    sources = PriceSources({PARTNER: list(assigned)}, None, VERSIONS)
    capacities = [Span(0, 30, Capacity(CONTRACT, 0))]
    return priced_buyer(sources, PARTNER, (PARTNER,), capacities, Lifetime(-9, closed), NOVEMBER)


def test_two_currencies_in_a_month_have_no_statement() -> None:
    assert priced(Assignment(day(1), OWN), Assignment(day(16), DOLLARS)) == CurrencyConflict(PARTNER, ("EUR", "USD"))
    found = priced(Assignment(day(1), OWN), Assignment(day(16), DOLLARS), closed=15)
    assert isinstance(found, BuyerMonth)
    assert (found.currency, found.capacities) == ("EUR", [Span(0, 15, Capacity(CONTRACT, 0))])


def test_without_a_book_there_is_no_statement() -> None:
    assert priced() is None

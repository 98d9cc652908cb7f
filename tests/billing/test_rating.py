"""The rules of charging on single cases, without a database. Prices are cents a GB-month."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any, TypeAlias
from uuid import UUID

import pytest

from tonnage.billing.line import Line
from tonnage.billing.month import AccountUse, BuyerMonth, Capacity, Lifetime, Month, Span, SubjectMonth, spans
from tonnage.billing.rating import rate
from tonnage.price_books.version import Band, MinimumPool, Mode, PayPerUseMinimum, Prices, Product, Tiers

A, B, BUYER = UUID(int=1), UUID(int=2), UUID(int=3)
GB, TB = 10**9, 10**12
LATER = date(2099, 1, 1)

Offers: TypeAlias = dict[UUID | None, Sequence[Span[Prices | None]]]


def prices(**given: Any) -> Prices:
    values: dict[str, Any] = {
        name: Decimal(value) if isinstance(value, str) else value for name, value in given.items()
    }
    return Prices(**values)


def charged(
    month: str,
    usage: int | Sequence[int],
    allocated: int | Sequence[tuple[int, int]] = 0,
    *offers: tuple[int, Prices],
    opened: int = 0,
    closed: int | None = None,
    currency: str = "EUR",
    egress: Sequence[int] = (),
    accounts: Sequence[AccountUse] = (),
) -> list[Line]:
    """A partner under contract A. `allocated`: or (first day, allocation); offers: (first day, prices), both in the
    order of writing; days are numbers from 0.
    """
    rated = Month.of(date.fromisoformat(f"{month}-01"), LATER)
    written = [(opened, allocated)] if isinstance(allocated, int) else allocated
    terms = spans([(first, Capacity(A, size)) for first, size in written], rated.days)
    lifetime = Lifetime(opened, closed)
    of_days = [usage] * rated.days if isinstance(usage, int) else list(usage)
    buyer = BuyerMonth(BUYER, rated, currency, lifetime.cut(terms), {A: spans(offers, rated.days)})
    return rate(buyer, [SubjectMonth(BUYER, of_days, terms, lifetime, egress, accounts)])


def amounts(lines: Iterable[Line]) -> list[str]:
    return [f"{line.amount.amount:f}" for line in lines]


def ramp(before: int, first: int, after: int, days: int = 30) -> list[int]:
    return [before] * first + [after] * (days - first)


@pytest.mark.parametrize(
    ("month", "opened", "fee"),
    [("2027-01", 30, "3.23"), ("2027-02", 0, "100.00"), ("2027-03", 0, "100.00"), ("2027-04", 0, "100.00")],
)
def test_a_reservation_from_the_last_of_a_month(month: str, opened: int, fee: str) -> None:
    assert amounts(charged(month, 0, 10 * TB, (0, prices(reserved="1")), opened=opened)) == [fee]


@pytest.mark.parametrize(("month", "opened", "fee"), [("2025-02", 25, "0.96"), ("2028-02", 26, "0.93")])
def test_the_last_three_days_of_february(month: str, opened: int, fee: str) -> None:
    assert amounts(charged(month, 0, 0, (0, prices(minimum_charge="900")), opened=opened)) == [fee]


@pytest.mark.parametrize(("month", "opened", "size"), [("2028-02", 28, 29 * TB), ("2027-02", 27, 28 * TB)])
def test_a_day_of_february_is_a_share_of_its_own_days(month: str, opened: int, size: int) -> None:
    assert amounts(charged(month, 0, size, (0, prices(reserved="1")), opened=opened)) == ["10.00"]


def test_the_denominator_is_the_whole_month() -> None:
    assert amounts(charged("2026-05", ramp(TB, 19, 2 * TB, 31), TB, (0, prices(excess="10")))) == ["38.71"]


def test_a_price_change_makes_a_line() -> None:
    both = charged("2026-11", 3 * TB, 2 * TB, (0, prices(excess="10")), (15, prices(excess="12")))
    assert amounts(both) == ["50.00", "60.00"]
    assert [(line.first.day, line.last.day, line.byte_days) for line in both] == [(1, 15, 15 * TB), (16, 30, 15 * TB)]


def test_of_two_price_changes_on_a_day_the_later_counts() -> None:
    offers = (0, prices(excess="10")), (15, prices(excess="12")), (15, prices(excess="9"))
    assert amounts(charged("2026-11", 2 * TB, TB, *offers)) == ["50.00", "45.00"]


def test_a_price_that_comes_back_is_one_line() -> None:
    offers = (0, prices(excess="10")), (10, prices(excess="20")), (20, prices(excess="10"))
    first, second = charged("2026-11", 2 * TB, TB, *offers)
    assert amounts([first, second]) == ["66.67", "66.67"]
    assert (first.first.day, first.last.day, second.first.day, second.last.day) == (1, 30, 11, 20)


def test_nothing_is_charged_before_the_first_version() -> None:
    (line,) = charged("2026-11", TB, 0, (9, prices(pay_per_use="10")))
    assert (line.first.day, line.byte_days) == (10, 21 * TB)


def test_a_downgrade_on_the_first_day_counts_all_month() -> None:
    assert amounts(charged("2026-11", 0, [(0, 200 * TB), (0, 50 * TB)], (0, prices(reserved="1")))) == ["500.00"]


def test_changes_within_a_day_leave_the_last() -> None:
    terms = [(0, TB), (2, 5 * TB), (2, TB)]
    assert amounts(charged("2026-11", [0, 0, 3 * TB] + [0] * 27, terms, (0, prices(excess="30")))) == ["20.00"]


def test_a_move_makes_a_line_for_each_contract() -> None:
    month = Month.of(date(2026, 11, 1), LATER)
    terms = spans([(0, Capacity(A, 0)), (15, Capacity(B, 0))], 30)
    offers: Offers = {A: [Span(0, 30, prices(excess="10"))], B: [Span(0, 30, prices(excess="20"))]}
    buyer = BuyerMonth(BUYER, month, "EUR", terms, offers)
    lines = rate(buyer, [SubjectMonth(BUYER, [TB] * 30, terms, Lifetime(0))])
    assert [(line.contract_id, *amounts([line])) for line in lines] == [(A, "50.00"), (B, "100.00")]
    # The statement of one contract has what was used under it.
    of_contract = replace(buyer, id=A, prices={A: offers[A]}, capacities=[])
    assert amounts(rate(of_contract, [SubjectMonth(BUYER, [TB] * 30, terms, Lifetime(0))])) == ["50.00"]


def test_each_line_is_rounded_once() -> None:
    month = Month.of(date(2026, 11, 1), LATER)
    buyer = BuyerMonth(A, month, "EUR", [], {A: [Span(0, 30, prices(excess="0.5"))]})
    partners = [SubjectMonth(UUID(int=n), [GB] * 30, [Span(0, 30, Capacity(A, 0))], Lifetime(0)) for n in range(10, 13)]
    assert amounts(rate(buyer, partners)) == ["0.01", "0.01", "0.01"]


@pytest.mark.parametrize(
    ("month", "usage", "currency", "price", "fee"),
    [
        ("2026-01", ramp(0, 25, 10_000 * GB, 31), "JPY", "100", "1935"),
        ("2026-01", GB, "KWD", "123.45", "1.235"),
        ("2026-01", 2**63 - 1, "EUR", "1000000000000", "92233720368547758070.00"),
    ],
)
def test_digits_of_currencies_and_extremes(
    month: str, usage: int | list[int], currency: str, price: str, fee: str
) -> None:
    assert amounts(charged(month, usage, 0, (0, prices(pay_per_use=price)), currency=currency)) == [fee]


def _tiers(mode: Mode, product: Product = Product.PAY_PER_USE) -> Prices:
    bands = Band(100_000, Decimal("0.6")), Band(500_000, Decimal("0.5")), Band(None, Decimal("0.4"))
    return prices(tiers=Tiers(product, mode, bands))


@pytest.mark.parametrize("product", [Product.PAY_PER_USE, Product.RESERVED])
@pytest.mark.parametrize(
    ("mode", "size", "total"),
    [
        (Mode.GRADUATED, 100 * TB, "600.00"),
        (Mode.GRADUATED, 100_001 * GB, "600.01"),
        (Mode.GRADUATED, 250 * TB, "1350.00"),
        (Mode.GRADUATED, 600 * TB, "3000.00"),
        (Mode.VOLUME, 100 * TB, "600.00"),
        (Mode.VOLUME, 100_001 * GB, "500.01"),
        (Mode.VOLUME, 250 * TB, "1250.00"),
        (Mode.VOLUME, 500 * TB, "2500.00"),
        (Mode.VOLUME, 600 * TB, "2400.00"),
    ],
)
def test_tiers(product: Product, mode: Mode, size: int, total: str) -> None:
    used, reserved = (size, 0) if product is Product.PAY_PER_USE else (0, size)
    lines = charged("2026-11", used, reserved, (0, _tiers(mode, product)))
    assert str(sum(Decimal(amount) for amount in amounts(lines))) == total
    assert len(lines) == (1 if mode is Mode.VOLUME else sum(size > bound * TB for bound in (0, 100, 500)))


def test_tiers_count_the_whole_of_a_contract() -> None:
    month = Month.of(date(2026, 11, 1), LATER)
    buyer = BuyerMonth(A, month, "EUR", [], {A: [Span(0, 30, _tiers(Mode.GRADUATED))]})
    partners = [SubjectMonth(UUID(int=n), [60 * TB] * 30, [Span(0, 30, Capacity(A, 0))], Lifetime(0)) for n in (10, 11)]
    lines = rate(buyer, partners)
    assert [(line.subject_id, *amounts([line])) for line in lines] == [(A, "600.00"), (A, "100.00")]


def test_a_minimum_charge_in_a_short_month() -> None:
    offer = prices(pay_per_use="1", minimum_charge="1000")
    lines = charged("2026-05", ramp(0, 16, 413_333_333_333, 31), 0, (0, offer), opened=16)
    assert amounts(lines) == ["2.00", "2.84"]
    whole = charged("2026-05", 0, 0, (0, replace(offer, prorate_minimums=False)), opened=16)
    assert amounts(whole) == ["10.00"]
    assert amounts(charged("2026-05", 2 * TB, 0, (0, offer))) == ["20.00"]


def _minimum(pool: MinimumPool, **given: Any) -> Prices:
    return prices(pay_per_use="0.8", pay_per_use_minimum=PayPerUseMinimum(1000, pool), **given)


def test_a_capacity_minimum_is_compared_with_the_average_of_the_month() -> None:
    assert amounts(charged("2026-11", ramp(0, 15, 2 * TB), 0, (0, _minimum(MinimumPool.PARTNER)))) == ["8.00"]


def test_a_capacity_minimum_is_prorated_unless_the_book_says_otherwise() -> None:
    usage = 400 * GB
    assert amounts(charged("2026-11", usage, 0, (0, _minimum(MinimumPool.PARTNER)))) == ["3.20", "4.80"]
    late = ramp(0, 20, usage)
    assert amounts(charged("2026-11", late, 0, (0, _minimum(MinimumPool.PARTNER)), opened=20)) == ["1.07", "1.60"]
    whole = _minimum(MinimumPool.PARTNER, prorate_minimums=False)
    assert amounts(charged("2026-11", late, 0, (0, whole), opened=20)) == ["1.07", "6.93"]


@pytest.mark.parametrize(("pool", "total"), [(MinimumPool.PARTNER, "12.00"), (MinimumPool.ACCOUNT, "40.00")])
def test_pools_of_a_capacity_minimum(pool: MinimumPool, total: str) -> None:
    accounts = [AccountUse(number, [300 * GB] * 30, Lifetime(0)) for number in range(5)]
    lines = charged("2026-11", 1500 * GB, 0, (0, _minimum(pool)), accounts=accounts)
    assert str(sum(Decimal(amount) for amount in amounts(lines))) == total


def test_what_is_allocated_needs_no_minimum_of_pay_per_use() -> None:
    assert charged("2026-11", 0, TB, (0, _minimum(MinimumPool.PARTNER))) == []
    (missing,) = charged("2026-11", 0, [(0, TB), (20, 0)], (0, _minimum(MinimumPool.PARTNER)))
    assert amounts([missing]) == ["2.67"]


def test_the_minimum_of_tiers_costs_what_the_band_does_that_it_reaches() -> None:
    offer = replace(_tiers(Mode.VOLUME), pay_per_use_minimum=PayPerUseMinimum(200_000, MinimumPool.PARTNER))
    assert amounts(charged("2026-11", 50 * TB, 0, (0, offer))) == ["300.00", "750.00"]


def test_egress_is_gigabytes_and_not_months() -> None:
    sent = [0] * 29 + [1500 * GB]
    (line,) = charged("2026-11", 0, 0, (0, prices(egress_per_gb="1.2")), egress=sent)
    assert (line.product, *amounts([line])) == (Product.EGRESS, "18.00")


def test_a_discount_is_taken_before_the_minimum_charge() -> None:
    offer = prices(reserved="1", excess="2", discount_percent="10", minimum_charge="10000")
    lines = charged("2026-11", 3 * TB, TB, (0, offer))
    assert amounts(lines) == ["10.00", "40.00", "-5.00", "55.00"]


def test_discount_and_minimums_are_those_of_the_last_active_day() -> None:
    before, after = prices(reserved="1", discount_percent="50"), prices(reserved="1", discount_percent="10")
    assert amounts(charged("2026-11", 0, 3 * TB, (0, before), (29, after))) == ["30.00", "-3.00"]
    assert amounts(charged("2026-11", 0, 3 * TB, (0, before), (29, after), closed=10)) == ["10.00", "-5.00"]


def test_a_partner_that_was_closed() -> None:
    # On the 10th: its allocation counts for nine days, and what was used on the 10th has the terms of the 9th.
    usage = [2 * TB] * 9 + [3 * TB] + [0] * 20
    lines = charged("2026-11", usage, TB, (0, prices(reserved="1", excess="10")), closed=9)
    assert [(line.product.value, line.byte_days) for line in lines] == [
        ("reserved", 9 * TB),
        ("excess", 9 * TB + 2 * TB),
    ]


def test_the_month_to_date_counts_the_days_so_far() -> None:
    month = Month.of(date(2026, 11, 17), date(2026, 11, 15))
    assert (month.through, month.last) == (15, date(2026, 11, 15))
    terms = [Span(0, 15, Capacity(A, TB))]
    offers: Offers = {A: [Span(0, 15, prices(reserved="1"))]}
    lines = rate(BuyerMonth(BUYER, month, "EUR", terms, offers), [])
    assert amounts(lines) == ["5.00"]
    with pytest.raises(ValueError, match="2026-11 has not begun"):
        Month.of(date(2026, 11, 1), date(2026, 10, 31))


def test_a_minimum_by_contract_leaves_out_what_was_used_elsewhere() -> None:
    month = Month.of(date(2026, 11, 1), LATER)
    moved = [Span(0, 15, Capacity(B, 0)), Span(15, 30, Capacity(A, 0))]
    offers: Offers = {A: [Span(0, 30, _minimum(MinimumPool.CONTRACT))]}
    buyer = BuyerMonth(A, month, "EUR", [Span(0, 30, Capacity(A, 0))], offers)
    partner = SubjectMonth(BUYER, [400 * GB] * 30, moved, Lifetime(0))
    # Half of the month: 0.2 TB-months of 0.5.
    assert amounts(rate(buyer, [partner])) == ["1.60", "2.40"]


def test_the_minimum_of_an_account_is_prorated_by_its_own_days() -> None:
    accounts = [AccountUse(1, [TB] * 30, Lifetime(-9)), AccountUse(2, [0] * 30, Lifetime(20))]
    (_, missing) = charged("2026-11", TB, 0, (0, _minimum(MinimumPool.ACCOUNT)), accounts=accounts)
    assert (missing.subject_id, *amounts([missing])) == (2, "2.67")
    ended = [AccountUse(2, [0] * 30, Lifetime(-9, 15))]
    (missing,) = charged("2026-11", 0, 0, (0, _minimum(MinimumPool.ACCOUNT)), accounts=ended)
    assert amounts([missing]) == ["4.00"]

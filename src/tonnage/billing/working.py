"""The working of a line: what it has of each day."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from tonnage.billing.line import Extra, Line
from tonnage.billing.month import BuyerMonth, Capacity, Month, Span, SubjectMonth
from tonnage.price_books.version import Prices, Product


@dataclass(frozen=True, slots=True)
class WorkingDay:
    """A day of a line. All in bytes."""

    day: date
    used: int
    """What was stored, of egress what was sent."""
    capacity: int
    """What was reserved or allocated at the end of the day; 0 is pay-per-use."""
    quantity: int
    """What is charged of the day. Of the minimum of pay-per-use: what counts towards it."""


def working_of(line: Line, buyer: BuyerMonth, subjects: Iterable[SubjectMonth]) -> list[WorkingDay]:
    """The days on which the line's price applied to its subject, in order.

    `subjects`: at least those that the line is about; for a line about the buyer as a whole, all of them. A discount
    and a minimum charge have no days. The quantities add up to the line's; with prices by quantity to those of all
    bands, and of a minimum they are what was used of it.
    """
    found: dict[int, WorkingDay] = {}
    if line.product is Product.RESERVED:
        for number, capacity in _days(line, buyer, buyer.capacities, buyer.month):
            found[number] = WorkingDay(buyer.month.day(number), 0, capacity, capacity)
    elif not isinstance(line.product, Extra) or line.product is Extra.CAPACITY_MINIMUM:
        for subject in subjects:
            account = next((one for one in subject.accounts if one.id == line.subject_id), None)
            if account is None and line.subject_id not in {subject.id, buyer.id}:
                continue
            usage = account.usage if account else subject.usage
            if line.product is Product.EGRESS:
                usage = subject.egress
            for number, capacity in _days(line, buyer, subject.capacities, buyer.month):
                day = buyer.month.day(number)
                _add(found, number, _day(line, day, usage[number], capacity))
    return [found[number] for number in sorted(found)]


def _days(
    line: Line, buyer: BuyerMonth, capacities: Iterable[Span[Capacity]], month: Month
) -> Iterable[tuple[int, int]]:
    """The days of the line, with the capacity of each."""
    for span in capacities:
        if not _is_of(line, span.value):
            continue
        for part in buyer.prices.get(span.value.contract_id, ()):
            for number in range(max(span.first, part.first), min(span.until, part.until)):
                if line.first <= month.day(number) <= line.last and _costs(line, part.value):
                    yield number, span.value.bytes


def _is_of(line: Line, capacity: Capacity) -> bool:
    match line.product:
        case Product.EXCESS:
            return capacity.bytes > 0 and capacity.contract_id == line.contract_id
        case Product.PAY_PER_USE:
            return capacity.bytes == 0 and capacity.contract_id == line.contract_id
        case Extra.CAPACITY_MINIMUM:
            return capacity.bytes == 0
        case _:
            return capacity.contract_id == line.contract_id


def _costs(line: Line, prices: Prices | None) -> bool:
    if prices is None:
        return False
    if not isinstance(line.product, Product):
        return True
    if tiers := prices.tiers_on(line.product):
        return any(band.price == line.unit_price for band in tiers.bands)
    return prices.price_of(line.product) == line.unit_price


def _day(line: Line, day: date, used: int, capacity: int) -> WorkingDay:
    return WorkingDay(day, used, capacity, used if line.product is Product.EGRESS else max(0, used - capacity))


def _add(found: dict[int, WorkingDay], number: int, more: WorkingDay) -> None:
    one = found.get(number)
    if one is not None:
        more = WorkingDay(one.day, one.used + more.used, one.capacity + more.capacity, one.quantity + more.quantity)
    found[number] = more

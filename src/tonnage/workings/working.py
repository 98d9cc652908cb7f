"""The working of a line: what it has of each day."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from tonnage.billing.line import Extra, Line
from tonnage.billing.month import BuyerMonth, Capacity, Span, SubjectMonth
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

    `subjects`: at least those that the line is about; for a line about the buyer as a whole, all of them. The
    quantities add up to the line's; with prices by quantity to those of all bands, and of a minimum they are what was
    used of it.
    """
    if not has_days(line):
        return []
    found: dict[int, WorkingDay] = {}
    if line.product is Product.RESERVED:
        used = _used_under(line, subjects)
        for number, capacity in _days(line, buyer, buyer.capacities):
            found[number] = WorkingDay(buyer.month.day(number), used.get(number, 0), capacity, capacity)
        return [found[number] for number in sorted(found)]
    for subject in subjects:
        account = next((one for one in subject.accounts if one.id == line.subject_id), None)
        if account is None and line.subject_id not in {subject.id, buyer.id}:
            continue
        usage = account.usage if account else subject.usage
        if line.product is Product.EGRESS:
            usage = subject.egress
        is_minimum = line.product is Extra.CAPACITY_MINIMUM
        for number, capacity in (
            _pooled(line, buyer, subject, usage) if is_minimum else _days(line, buyer, subject.capacities)
        ):
            _add(found, number, _day(line, buyer.month.day(number), usage[number], capacity))
    return [found[number] for number in sorted(found)]


def has_days(line: Line) -> bool:
    """Whether a line is a quantity. A discount, a minimum charge and an adjustment are none."""
    return isinstance(line.product, Product) or line.product is Extra.CAPACITY_MINIMUM


def _used_under(line: Line, subjects: Iterable[SubjectMonth]) -> dict[int, int]:
    """What was stored on each day under the line's contract: by a contract's partners, or by the buyer itself."""
    used: dict[int, int] = {}
    for subject in subjects:
        for span in subject.capacities:
            if span.value.contract_id == line.contract_id:
                for number in range(span.first, min(span.until, len(subject.usage))):
                    used[number] = used.get(number, 0) + subject.usage[number]
    return used


def _days(line: Line, buyer: BuyerMonth, capacities: Iterable[Span[Capacity]]) -> Iterable[tuple[int, int]]:
    """The days of the line, with the capacity of each."""
    for span in capacities:
        if not _is_of(line, span.value):
            continue
        for part in buyer.prices.get(span.value.contract_id, ()):
            for number in range(max(span.first, part.first), min(span.until, part.until)):
                if line.first <= buyer.month.day(number) <= line.last and _costs(line, part.value):
                    yield number, span.value.bytes


def _pooled(line: Line, buyer: BuyerMonth, subject: SubjectMonth, usage: Sequence[int]) -> Iterable[tuple[int, int]]:
    """The days of pay-per-use that count towards a minimum, with any prices, and those after the end that have
    late use."""
    for span in subject.capacities:
        if span.value.bytes or span.value.contract_id not in buyer.prices:
            continue
        for number in range(span.first, span.until):
            if line.first <= buyer.month.day(number) <= line.last or usage[number]:
                yield number, 0


def _is_of(line: Line, capacity: Capacity) -> bool:
    if capacity.contract_id != line.contract_id:
        return False
    match line.product:
        case Product.EXCESS:
            return capacity.bytes > 0
        case Product.PAY_PER_USE:
            return capacity.bytes == 0
        case _:
            return True


def _costs(line: Line, prices: Prices | None) -> bool:
    if prices is None:
        return False
    if not isinstance(line.product, Product):  # only products have days with prices
        return False
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

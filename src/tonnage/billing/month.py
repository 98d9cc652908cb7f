"""What a month is rated from: days of use, capacity and prices of a buyer. Days are numbers, 0 is the first."""

from calendar import monthrange
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Generic, TypeVar
from uuid import UUID

from tonnage.price_books.version import Prices

T = TypeVar("T")

GB = 10**9


@dataclass(frozen=True)
class Month:
    """A calendar month, UTC, through one of its days: the last one, or today."""

    first: date
    through: int
    """The number of its days that count, from the first: all of them when it is over."""

    @classmethod
    def of(cls, day: date, today: date) -> "Month":
        """The month of a day, as far as it has come today. ValueError: it has not begun."""
        first = day.replace(day=1)
        if today < first:
            raise ValueError(f"{first:%Y-%m} has not begun")
        return cls(first, min(days_in(first), (today - first).days + 1))

    @property
    def days(self) -> int:
        """The days of the calendar month: the denominator of all its GB-months."""
        return days_in(self.first)

    @property
    def last(self) -> date:
        """The last day that counts."""
        return self.day(self.through - 1)

    def day(self, number: int) -> date:
        """The day of that number."""
        return self.first + timedelta(days=number)

    def number(self, day: date) -> int:
        """The number of a day; negative before the month."""
        return (day - self.first).days

    def __str__(self) -> str:
        return f"{self.first:%Y-%m}"


@dataclass(frozen=True, slots=True)
class Span(Generic[T]):
    """What applies on the days `first` <= n < `until`."""

    first: int
    until: int
    value: T


def spans(written: Iterable[tuple[int, T]], until: int) -> list[Span[T]]:
    """What applies on the days 0 to `until`, from what was written, in the order of writing: (first day, value). Of two
    that begin on a day the later counts.
    """
    opening: tuple[int, T] | None = None
    later: dict[int, T] = {}
    for first, value in written:
        if first > 0:
            later[first] = value
        elif opening is None or first >= opening[0]:
            opening = (first, value)
    starts: list[tuple[int, T]] = [(0, opening[1])] if opening else []
    starts += [(first, later[first]) for first in sorted(later) if first < until]
    ends = [*(first for first, _ in starts[1:]), until]
    return [Span(first, end, value) for (first, value), end in zip(starts, ends, strict=False)]


def overlaps(among: Sequence[Span[T]], first: int, until: int) -> Iterator[Span[T]]:
    """The parts of spans within a range of days."""
    for span in among:
        if span.first < until and first < span.until:
            yield Span(max(span.first, first), min(span.until, until), span.value)


@dataclass(frozen=True, slots=True)
class Capacity:
    """The terms at the end of a day: a capacity under a contract. An account's is under none."""

    contract_id: UUID | None
    bytes: int
    """0 is pay-per-use."""


def raised(capacities: Sequence[Span[Capacity]], overrides: Sequence[Span[int]]) -> list[Span[Capacity]]:
    """The capacities, each day at least those of the overrides: bytes. Pay-per-use has none that could be raised."""
    found: list[Span[Capacity]] = []
    for span in capacities:
        within = list(overlaps(overrides, span.first, span.until)) if span.value.bytes else []
        bounds = {span.first, span.until} | {bound for one in within for bound in (one.first, one.until)}
        for first, until in pairwise(sorted(bounds)):
            most = max((one.value for one in overlaps(within, first, until)), default=0)
            capacity = replace(span.value, bytes=most) if most > span.value.bytes else span.value
            found.append(Span(first, until, capacity))
    return found


@dataclass(frozen=True, slots=True)
class Lifetime:
    """When a buyer was open: its first day, and the first one at whose end it was closed. Negative before the month."""

    opened: int
    closed: int | None = None

    def cut(self, capacities: Sequence[Span[Capacity]]) -> list[Span[Capacity]]:
        """Without the days at whose end it was not open."""
        end = self.closed
        if end is None:
            return list(capacities)
        return [Span(one.first, min(one.until, end), one.value) for one in capacities if one.first < end]


@dataclass(frozen=True, slots=True)
class AccountUse:
    """Use of one storage account, for a minimum that counts accounts."""

    id: int
    usage: Sequence[int]
    """Bytes on each day that counts."""
    lifetime: Lifetime


@dataclass(frozen=True, slots=True)
class SubjectMonth:
    """A partner or a storage account whose use is charged."""

    id: UUID | int
    usage: Sequence[int]
    """Bytes on each day that counts."""
    capacities: Sequence[Span[Capacity]]
    """From its first day on; after its end those of its last one."""
    lifetime: Lifetime
    egress: Sequence[int] = ()
    """Bytes sent on each day that counts; empty: not measured."""
    accounts: Sequence[AccountUse] = ()


@dataclass(frozen=True, slots=True)
class BuyerMonth:
    """A contract, a partner or a storage account, which pays for all subjects: for itself, or for the partners under a
    contract.
    """

    id: UUID | int
    month: Month
    currency: str
    capacities: Sequence[Span[Capacity]]
    """What is reserved for it, or allocated to it, while it was open."""
    prices: Mapping[UUID | None, Sequence[Span[Prices | None]]] = field(
        default_factory=dict[UUID | None, Sequence[Span[Prices | None]]]
    )
    """What it pays under each contract. After its end, the prices of its last day."""


def gb_months(byte_days: int | Decimal, month: date) -> Fraction:
    """GB-months, the billing unit: 10^9 bytes for the whole of the calendar month."""
    return Fraction(byte_days) / (GB * days_in(month))


def last_day_of(month: date) -> date:
    """The last day of the day's calendar month."""
    return month.replace(day=days_in(month))


def days_in(month: date) -> int:
    """The number of days in the day's calendar month."""
    return monthrange(month.year, month.month)[1]

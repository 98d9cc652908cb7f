"""A month's cost, computed day by day with fractions. Shares no code with the product."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from math import floor
from typing import Any, NamedTuple
from uuid import UUID

DAY = timedelta(days=1)
MINOR_UNITS = {"EUR": 100, "JPY": 1, "KWD": 1000}
DAYS_OF_FEBRUARY = 28


class LineModel(NamedTuple):
    """Of excess, or of pay-per-use."""

    contract: UUID
    price: Fraction
    byte_days: int
    first: date
    last: date
    minor_units: int


def at_the_end_of(day: date, written: Sequence[tuple[Any, ...]]) -> tuple[Any, ...]:
    """The last of (since, ...) before the day's end. The order is that of writing, and `since` never decreases."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC) + DAY
    return [entry for entry in written if entry[0] < midnight][-1]


@dataclass
class OverrideModel:
    """More capacity from a moment until a midnight, or until it was ended."""

    capacity: int
    since: datetime
    until: datetime

    def runs_at_the_end_of(self, day: date) -> bool:
        midnight = datetime(day.year, day.month, day.day, tzinfo=UTC) + DAY
        return self.since < midnight <= self.until


@dataclass
class MonthModel:
    """Terms, prices and usage in February 2026."""

    currency: str
    prices: dict[UUID, list[tuple[datetime, Fraction]]] = field(default_factory=dict[UUID, Any])
    terms: dict[UUID, list[tuple[datetime, UUID, int, bool]]] = field(default_factory=dict[UUID, Any])
    usage: dict[UUID, dict[date, int]] = field(default_factory=dict[UUID, Any])
    overrides: dict[UUID, list[OverrideModel]] = field(default_factory=dict[UUID, Any])

    def set_price(self, contract: UUID, price: Fraction, now: datetime) -> None:
        """As each change is written: not before its predecessor, if a clock is behind; not at all if equal."""
        written = self.prices[contract]
        since, before = written[-1]
        if price != before:
            written.append((max(now, since), price))

    def set_terms(self, partner: UUID, contract: UUID, allocated: int, overdraft: bool, now: datetime) -> None:
        written = self.terms[partner]
        since, *before = written[-1]
        if before != [contract, allocated, overdraft]:
            written.append((max(now, since), contract, allocated, overdraft))

    def grant(self, partner: UUID, capacity: int, until: datetime, now: datetime) -> None:
        """One at a time."""
        self.end(partner, now)
        self.overrides.setdefault(partner, []).append(OverrideModel(capacity, now, until))

    def end(self, partner: UUID, now: datetime) -> None:
        for override in self.overrides.get(partner, [])[-1:]:
            override.until = min(override.until, now)

    def allocated(self, partner: UUID, day: date) -> int:
        _, _, allocated, _ = at_the_end_of(day, self.terms[partner])
        running = [one.capacity for one in self.overrides.get(partner, []) if one.runs_at_the_end_of(day)]
        return max(allocated, *running) if allocated and running else allocated

    def lines(self, partner: UUID, first: date, today: date) -> list[LineModel]:
        days: dict[tuple[UUID, Fraction, bool], list[tuple[date, int]]] = {}
        day = first
        while day <= today:
            _, contract, *_ = at_the_end_of(day, self.terms[partner])
            allocated = self.allocated(partner, day)
            _, price = at_the_end_of(day, self.prices[contract])
            used = self.usage[partner].get(day, 0)
            if used > allocated:
                days.setdefault((contract, price, allocated == 0), []).append((day, used - allocated))
            day += DAY
        return [self._line(contract, price, charged) for (contract, price, _), charged in days.items()]

    def _line(self, contract: UUID, price: Fraction, charged: list[tuple[date, int]]) -> LineModel:
        excess = sum(bytes_ for _, bytes_ in charged)
        exact = Fraction(excess, 10**9 * DAYS_OF_FEBRUARY) * price / 100 * MINOR_UNITS[self.currency]
        return LineModel(contract, price, excess, charged[0][0], charged[-1][0], floor(exact + Fraction(1, 2)))

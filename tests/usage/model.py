"""Expected usage, computed day by day, without SQL. Shares no code with the product."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from fractions import Fraction
from math import floor

DAY = timedelta(days=1)

Row = tuple[date, int, int, int]
"""Day, usage, closing, samples."""


class AccountModel:
    def __init__(self, first_day: date) -> None:
        self.first_day = first_day
        self.rolled_up_to = first_day - DAY
        self.raw: dict[datetime, int] = {}
        self.measured: dict[date, tuple[int, int, int]] = {}
        self.purged = False

    def record(self, samples: Iterable[tuple[datetime, int]]) -> None:
        news = {at: size for at, size in samples if self.raw.get(at) != size}
        self.raw |= news
        for day in {at.date() for at in news}:
            of_day = [size for at, size in sorted(self.raw.items()) if at.date() == day]
            mean = floor(Fraction(sum(of_day), len(of_day)) + Fraction(1, 2))
            self.measured[day] = (mean, of_day[-1], len(of_day))
            self.rolled_up_to = max(self.rolled_up_to, day)

    def trim(self, oldest: date) -> None:
        self.raw = {at: size for at, size in self.raw.items() if at.date() >= oldest}

    def rows(self) -> list[Row]:
        rows: list[Row] = []
        closing = 0
        day = self.first_day
        while day <= self.rolled_up_to:
            usage, closing, samples = self.measured.get(day, (closing, closing, 0))
            rows.append((day, usage, closing, samples))
            day += DAY
        return rows

    @property
    def used(self) -> int:
        return 0 if self.purged or not self.measured else self.rows()[-1][2]

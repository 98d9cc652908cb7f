"""Expected usage, computed day by day, without SQL. Shares no code with the product."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from itertools import pairwise
from math import floor

DAY = timedelta(days=1)

Row = tuple[date, int, int, int]
"""Day, usage, closing, samples."""


class AccountModel:
    def __init__(self, created: datetime) -> None:
        self.created = created
        self.purged: datetime | None = None
        self.readings: dict[datetime, int] = {}
        self.rolled_up_to = created.date() - DAY

    def record(self, readings: Iterable[tuple[datetime, int]]) -> None:
        for at, size in readings:
            self.readings[at] = size
            self.rolled_up_to = max(self.rolled_up_to, at.date())

    def purge(self, when: datetime) -> None:
        self.purged = when
        self.rolled_up_to = max(self.rolled_up_to, when.date())

    def held(self, moment: datetime) -> int:
        """The last reading at a moment or before it."""
        before = [at for at in self.readings if at <= moment]
        return self.readings[max(before)] if before else 0

    def stored(self, moment: datetime) -> int:
        """What the account stores from a moment until something changes."""
        if moment < self.created or (self.purged is not None and moment >= self.purged):
            return 0
        return self.held(moment)

    def usage(self, day: date) -> int:
        begin = datetime.combine(day, time(), UTC)
        changes = [self.created, *self.readings, *([self.purged] if self.purged else [])]
        moments = sorted({begin, begin + DAY, *(at for at in changes if begin <= at < begin + DAY)})
        total = Fraction(0)
        for since, until in pairwise(moments):
            total += self.stored(since) * Fraction((until - since) // timedelta(microseconds=1))
        return floor(total / Fraction(DAY // timedelta(microseconds=1)) + Fraction(1, 2))

    def rows(self) -> list[Row]:
        rows: list[Row] = []
        day = self.created.date()
        while day <= self.rolled_up_to:
            of_day = [at for at in self.readings if at.date() == day]
            last = datetime.combine(day, time.max, UTC)
            rows.append((day, self.usage(day), self.held(last), len(of_day)))
            day += DAY
        return rows

    @property
    def used(self) -> int:
        return 0 if self.purged or not self.readings else self.readings[max(self.readings)]

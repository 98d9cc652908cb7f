"""The day from which terms apply that are written later."""

from dataclasses import dataclass
from datetime import date, datetime

from tonnage.error_codes import ConflictCode
from tonnage.errors import Conflict, Invalid, Sentence
from tonnage.utc import day_of, midnight


@dataclass(frozen=True)
class EffectiveDate:
    """A day, UTC. `correct`: although months since then are frozen, whose difference becomes an adjustment."""

    day: date
    correct: bool = False

    def moment(self, terms_since: datetime, open_since: date | None, now: datetime) -> datetime:
        """From when the new terms apply. `terms_since`: when the present ones began, and the contract that a partner
        moves to; `open_since`: the first day after the frozen months, None without any.

        Invalid: the day is still to come. Conflict: that was later; or the day is in a frozen month, and
        that is not to be corrected.
        """
        today = day_of(now)
        if self.day > today:
            raise Invalid.field("from", Sentence("must be {today} or earlier", today=today.isoformat()))
        if self.day < (since := day_of(terms_since)):
            raise Conflict(
                "The present terms, or the contract, began on {day}. Choose that day or a later one; for the days "
                "before make an adjustment.",
                ConflictCode.TERMS_CHANGED,
                day=since.isoformat(),
            )
        if open_since is not None and self.day < open_since and not self.correct:
            raise Conflict(
                "The months before {day} are frozen. To charge or credit the difference by an adjustment, repeat it as "
                "a correction; else choose that day or a later one.",
                ConflictCode.MONTH_FROZEN,
                day=open_since.isoformat(),
            )
        return now if self.day == today else midnight(self.day)

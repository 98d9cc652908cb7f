"""When a storage account, a partner or a contract is full: the answer, or why there is none."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

SHORTEST_HISTORY = 45
"""Days of use without which there is no forecast."""
BACK_TESTED = 30
"""Days ago: whether the forecast of then was right decides whether there is one now."""
HORIZON = 365
"""Days. What is full later is not said."""


class NoForecast(StrEnum):
    """Why there are no days."""

    SHORT_HISTORY = "short_history"
    """Less than SHORTEST_HISTORY days of use are known."""
    GROWTH_CHANGES = "growth_changes"
    """The use of today was not in the range of the forecast of BACK_TESTED days ago."""
    NOT_WITHIN_YEAR = "not_within_year"
    """It is more likely to last for HORIZON days than to be full before."""
    FULL = "full"
    """The capacity is reached already."""
    PAY_PER_USE = "pay_per_use"
    """There is no capacity that could be reached."""
    NOT_COMPUTED = "not_computed"
    """It is new, or its capacity was changed: the next run computes it."""


@dataclass(frozen=True)
class FullBy:
    """The days on which the capacity is reached: with a probability of 10, 50 and 90 percent it is by then."""

    earliest: date
    likely: date
    latest: date | None
    """None: it may last for more than HORIZON days."""


@dataclass(frozen=True)
class Forecast:
    """What is known of a subject: the days, or why there are none."""

    full_by: FullBy | None
    reason: NoForecast | None
    computed_on: date | None
    """From the use until the day before. None: it is not computed."""

    def document(self) -> dict[str, str]:
        """As JSON, with what there is of earliest, likely, latest, reason and computedOn."""
        days = self.full_by
        fields = {
            "earliest": days and days.earliest.isoformat(),
            "likely": days and days.likely.isoformat(),
            "latest": days and days.latest and days.latest.isoformat(),
            "reason": self.reason and self.reason.value,
            "computedOn": self.computed_on and self.computed_on.isoformat(),
        }
        return {name: value for name, value in fields.items() if value is not None}

"""Timed overrides: more capacity for a storage account or a partner until a day."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from tonnage.errors import Invalid
from tonnage.utc import day_of, midnight

MOST_DAYS = 90
REMINDER_DAYS = (3, 1)
"""How many days before its end the organisations concerned are reminded of an override."""


@dataclass(frozen=True)
class NewOverride:
    """What is granted."""

    capacity: int
    """Bytes; the allocation is at least that while it runs."""
    until: date
    """Its last day, UTC."""
    reason: str
    is_free: bool = False
    """Use within it is not excess."""

    @classmethod
    def latest(cls, today: date) -> date:
        """The last day that can be chosen."""
        return today + timedelta(days=MOST_DAYS)

    def ends_at(self, now: datetime) -> datetime:
        """The moment after its last day. Invalid: that day is over, or too far away."""
        today = day_of(now)
        latest = self.latest(today)
        if self.until < today:
            raise Invalid.field("until", "must be today or later")
        if self.until > latest:
            raise Invalid.field(
                "until", "must be at most {most} days from today: {latest} or earlier", most=MOST_DAYS, latest=latest
            )
        return midnight(self.until + timedelta(days=1))

"""Two clocks, as two types, so that neither can be passed where the other is meant. Pure rules take `now` instead.

And the hour and the day of a moment, in which usage is counted.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime


def system_time() -> datetime:
    """This machine's time, in UTC."""
    return datetime.now(UTC)


def hour_of(moment: datetime) -> datetime:
    """The start of its hour, UTC."""
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def day_of(moment: datetime) -> date:
    """Its day, UTC."""
    return moment.astimezone(UTC).date()


@dataclass(frozen=True)
class BusinessClock:
    """Days, months, terms, deletions and everything that is billed by them. A sandbox may move it."""

    read: Callable[[], datetime] = system_time

    def __call__(self) -> datetime:
        """The time, with its zone."""
        return self.read()


@dataclass(frozen=True)
class WallClock:
    """Sessions, expiry of keys, codes, throttling, leases and retries. Never moved."""

    read: Callable[[], datetime] = system_time

    def __call__(self) -> datetime:
        """The time, with its zone."""
        return self.read()

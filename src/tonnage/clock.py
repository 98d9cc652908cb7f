"""Two clocks, as two types, so that neither can be passed where the other is meant. Pure rules take `now` instead."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

system_time: Callable[[], datetime] = partial(datetime.now, UTC)
"""This machine's time, in UTC."""


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

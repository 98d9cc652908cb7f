"""The time: rules are told it, and whoever works for long is given the clock."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeAlias

Clock: TypeAlias = Callable[[], datetime]
"""Says what time it is, in UTC."""


def wall_clock() -> datetime:
    """Now, in UTC."""
    return datetime.now(UTC)

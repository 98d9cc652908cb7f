"""Synthetic series of daily use, whose future is known."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from tonnage.forecasts.bootstrap import PATHS, UsageHistory, forecast
from tonnage.forecasts.forecast import FullBy, NoForecast

TODAY = date(2026, 3, 15)
FUTURE = 800

Changes: TypeAlias = Callable[[np.random.Generator, int], NDArray[np.float64]]
"""The changes of so many days, and of FUTURE days after them; the ordinary one is about 1."""

_WEEK = np.array([1.3, 1.3, 1.2, 1.2, 1.0, 0.5, 0.5])


def steady(rng: np.random.Generator, days: int) -> NDArray[np.float64]:
    """With weekends, and a noise between a third and twice of the growth."""
    total = days + FUTURE
    return rng.normal(1, rng.uniform(0.3, 2), total) * np.resize(_WEEK, total)


def deletion(rng: np.random.Generator, days: int) -> NDArray[np.float64]:
    """The same, with one deletion of 30 to 60 percent of what has been stored in these days."""
    changes = steady(rng, days)
    changes[rng.integers(5, days - 2)] -= days * rng.uniform(0.3, 0.6)
    return changes


def bursts(rng: np.random.Generator, days: int) -> NDArray[np.float64]:
    """Most of the growth comes on one day of ten, at random, in very different sizes."""
    total = days + FUTURE
    return steady(rng, days) * 0.3 + (rng.random(total) < 0.1) * rng.exponential(8, total)


def accelerating(rng: np.random.Generator, days: int) -> NDArray[np.float64]:
    """The growth doubles every 20 to 40 days."""
    return steady(rng, days) * np.exp2(np.arange(days + FUTURE) / rng.uniform(20, 40))


@dataclass
class Coverage:
    """What forecasts of many series have said."""

    shown: int = 0
    """Days."""
    held: int = 0
    """Of these: the series was full between the first and the last day."""
    changing: int = 0
    """No days, since the growth changes."""


def coverage(changes: Changes, days: int, series: int = 300, paths: int = PATHS) -> Coverage:
    """Of series whose capacity is 30 to 100 of their ordinary days away."""
    rng, found = np.random.default_rng([days, len(changes.__name__)]), Coverage()
    for number in range(series):
        known = np.concatenate([[0.0], changes(rng, days)]).cumsum() + days
        ordinary = max(float(np.median(np.diff(known[days - 31 : days]))), 0.3)
        capacity = known[days - 1] + ordinary * rng.uniform(30, 100)
        reached = known[days - 1 :] >= capacity
        full = int(reached.argmax()) if reached.any() else FUTURE
        history = UsageHistory(f"{number}", TODAY, known[:days] * 1e9, capacity * 1e9)
        said = forecast(history, paths)
        found.changing += said is NoForecast.GROWTH_CHANGES
        if isinstance(said, FullBy):
            day = TODAY + timedelta(days=full)
            found.shown += 1
            found.held += said.earliest <= day and (said.latest is None or day <= said.latest)
    return found


if __name__ == "__main__":
    for kind in (steady, deletion, bursts, accelerating):
        for length in (46, 60, 75, 90, 120):
            for number_of_paths in (PATHS, 100):
                one = coverage(kind, length, 800, number_of_paths)
                print(  # noqa: T201
                    f"{kind.__name__:13}{length:4} days, {number_of_paths} paths: shown {one.shown / 800:.0%},"
                    f" held {one.held / max(one.shown, 1):.0%}, changing {one.changing / 800:.0%}"
                )

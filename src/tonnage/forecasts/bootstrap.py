"""The computation of forecasts: a double block bootstrap of the daily changes of use.

A path is a possible future. It is put together from weeks that were: first weeks of the history are drawn at random,
which is what else could have been observed; from these the weeks of the future are drawn. The first draw makes the
range as wide as a short history deserves; whole weeks keep weekends and weekly backups.

Decision 38 has the measured coverage.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import blake2b
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from tonnage.forecasts.forecast import BACK_TESTED, HORIZON, SHORTEST_HISTORY, FullBy, NoForecast

PATHS = 500
BLOCK = 7
USED_DAYS = 90
"""Days of use that a forecast is computed from."""
READ_DAYS = USED_DAYS + BACK_TESTED
"""What `forecast` has a use for: the forecast of BACK_TESTED days ago is computed too."""

_BLOCKS = -(-HORIZON // BLOCK)
_BACK_BLOCKS = -(-BACK_TESTED // BLOCK)
_ONE_OFF = 8
"""Median absolute deviations."""
_RARE = 1 / 30
"""What is more frequent is no one-off: a weekly backup is not."""
_TOLERANCE = 0.005
"""Of the capacity: a back-test that fails by less would change no decision. Use that grows by the same number of bytes
each day has a range of no width."""

Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True)
class UsageHistory:
    """The daily use of something."""

    subject: str
    """What it is, in one word that is no other's: the same subject has the same dates on the same day."""
    last_day: date
    usage: Floats
    """Bytes, a value per day, the one of `last_day` last."""
    capacity: float
    """Bytes, more than 0."""


def forecast(history: UsageHistory, paths: int = PATHS) -> FullBy | NoForecast:
    """When the capacity is reached. The same for the same history, every time."""
    usage = history.usage[-READ_DAYS:]
    if len(usage) and usage[-1] >= history.capacity:
        return NoForecast.FULL
    if len(usage) < SHORTEST_HISTORY:
        return NoForecast.SHORT_HISTORY
    changes = _without_one_offs(np.diff(usage))
    if usage[-1] <= history.capacity / 2 and changes[-USED_DAYS:].sum() <= 0:
        return NoForecast.NOT_WITHIN_YEAR
    rng = np.random.Generator(np.random.PCG64(_seed(history)))
    if not _was_right(changes, history.capacity * _TOLERANCE, paths, rng):
        return NoForecast.GROWTH_CHANGES
    found = _days_until(changes[-USED_DAYS:], float(history.capacity - usage[-1]), paths, rng)
    earliest, likely, latest = _quantiles(found)
    if likely > HORIZON:
        return NoForecast.NOT_WITHIN_YEAR
    return FullBy(
        history.last_day + timedelta(days=earliest),
        history.last_day + timedelta(days=likely),
        None if latest > HORIZON else history.last_day + timedelta(days=latest),
    )


def _seed(history: UsageHistory) -> int:
    return int.from_bytes(blake2b(f"{history.subject} {history.last_day}".encode(), digest_size=16).digest())


def _without_one_offs(changes: Floats) -> Floats:
    """A big deletion or migration is in the use that counts, but says nothing about the days to come: its day has the
    ordinary change."""
    ordinary = np.median(changes)
    distance = np.abs(changes - ordinary)
    # Not less than the ordinary change itself: days without any, among equal ones, are none.
    one_off = distance > max(_ONE_OFF * float(np.median(distance)), abs(float(ordinary)))
    if one_off.mean() > _RARE:
        return changes
    return np.where(one_off, ordinary, changes)


def _drawn(number: int, blocks: int, paths: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """The first days of the blocks of each path, of `number` days on which one can begin."""
    # Half of the weeks that there are: with all of them ranges of histories of 60 days held in two of three cases only.
    observed = max((number + BLOCK - 1) // BLOCK // 2, 1)
    sample = (rng.random((paths, observed), dtype=np.float32) * number).astype(np.intp)
    chosen = (rng.random((paths, blocks), dtype=np.float32) * observed).astype(np.intp)
    # A float32 close to 1, times a number, may be rounded up to the number.
    np.minimum(sample, number - 1, out=sample)
    np.minimum(chosen, observed - 1, out=chosen)
    return np.take_along_axis(sample, chosen, axis=1)


def _days_until(changes: Floats, missing: float, paths: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """After how many days each path has grown by `missing`; more than HORIZON if it does not."""
    within = np.lib.stride_tricks.sliding_window_view(changes, BLOCK).cumsum(axis=1)
    drawn = _drawn(len(within), _BLOCKS, paths, rng)
    total = within[:, -1].take(drawn)
    before = total.cumsum(axis=1) - total
    reached = before + within.max(axis=1).take(drawn) >= missing
    block = reached.argmax(axis=1)
    path = np.arange(paths)
    in_block = (before[path, block, None] + within[drawn[path, block]] >= missing).argmax(axis=1)
    return np.where(reached[path, block], block * BLOCK + in_block + 1, HORIZON + 1)


def _was_right(changes: Floats, tolerance: float, paths: int, rng: np.random.Generator) -> bool:
    """Whether the growth of the last BACK_TESTED days was in the range of the forecast of before."""
    known = changes[:-BACK_TESTED][-USED_DAYS:]
    within = np.lib.stride_tricks.sliding_window_view(known, BLOCK).cumsum(axis=1)
    drawn = _drawn(len(within), _BACK_BLOCKS, paths, rng)
    whole, rest = divmod(BACK_TESTED, BLOCK)
    growth = within[:, -1].take(drawn[:, :whole]).sum(axis=1)
    if rest:
        growth += within[:, rest - 1].take(drawn[:, whole])
    low, _, high = _quantiles(growth)
    return bool(low - tolerance <= changes[-BACK_TESTED:].sum() <= high + tolerance)


def _quantiles(values: NDArray[np.generic]) -> tuple[float, float, float]:
    """The 10th, 50th and 90th percentile: values that occur."""
    last = len(values) - 1
    places = [round(last * part) for part in (0.1, 0.5, 0.9)]
    found = np.partition(values, places)[places]
    return found[0].item(), found[1].item(), found[2].item()

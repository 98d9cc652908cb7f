"""Forecasts of synthetic series: whether the ranges hold what happens then."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from tests.forecasts.synthetic import TODAY, Changes, accelerating, bursts, coverage, deletion, steady
from tonnage.forecasts.bootstrap import UsageHistory, forecast
from tonnage.forecasts.forecast import FullBy, NoForecast

TB = 1e12


def linear(days: int, growth: float = 0.005 * TB, capacity: float = TB, subject: str = "a") -> UsageHistory:
    """Ends at half of the terabyte."""
    return UsageHistory(subject, TODAY, TB / 2 - growth * np.arange(days - 1, -1, -1, dtype=np.float64), capacity)


def noisy(seed: int = 1, days: int = 90) -> UsageHistory:
    usage = np.random.default_rng(seed).normal(5e9, 5e9, days).cumsum() + 3e11
    return UsageHistory("a", TODAY, usage, TB)


@pytest.mark.parametrize("days", [60, 75, 90])
@pytest.mark.parametrize("kind", [steady, deletion])
def test_the_range_holds_in_four_of_five_cases(kind: Changes, days: int) -> None:
    found = coverage(kind, days)
    assert found.held / found.shown >= 0.8
    assert found.shown >= 200


@pytest.mark.parametrize("days", [60, 90])
def test_growth_in_bursts_is_held_in_most_cases(days: int) -> None:
    found = coverage(bursts, days)
    assert found.held / found.shown >= 0.7


@pytest.mark.parametrize(("days", "most"), [(60, 0.2), (75, 0.15), (90, 0.1), (120, 0.1)])
def test_where_growth_accelerates_hardly_any_days_are_shown(days: int, most: float) -> None:
    found = coverage(accelerating, days)
    assert found.shown / 300 <= most
    assert found.shown + found.changing == 300


def test_growth_that_changes_at_once_shows_none() -> None:
    usage = linear(90).usage
    usage[-25:] += np.arange(1, 26, dtype=np.float64) * 0.02 * TB
    assert forecast(UsageHistory("a", TODAY, usage, 3 * TB)) is NoForecast.GROWTH_CHANGES


def test_growth_that_stops_shows_none() -> None:
    usage = linear(90).usage
    usage[-31:] = usage[-31]
    assert forecast(UsageHistory("a", TODAY, usage, TB / 2)) is NoForecast.GROWTH_CHANGES


def test_less_than_45_days_show_none() -> None:
    assert forecast(linear(44)) is NoForecast.SHORT_HISTORY
    assert isinstance(forecast(linear(45)), FullBy)
    assert forecast(linear(0)) is NoForecast.SHORT_HISTORY


def test_equal_growth_has_one_day() -> None:
    day = TODAY + timedelta(days=100)
    assert forecast(linear(60)) == FullBy(day, day, day)


def test_one_deletion_says_nothing_about_the_days_to_come() -> None:
    usage = linear(60).usage
    usage[50:] -= 0.1 * TB
    day = TODAY + timedelta(days=120)
    assert forecast(UsageHistory("a", TODAY, usage, TB)) == FullBy(day, day, day)


def test_a_weekly_backup_is_no_one_off() -> None:
    usage = 0.2 * TB + 0.02 * TB * (np.arange(84, dtype=np.float64) // 7)
    said = forecast(UsageHistory("a", TODAY, usage, TB))
    assert isinstance(said, FullBy)
    assert TODAY + timedelta(weeks=25) < said.likely < TODAY + timedelta(weeks=33)


def test_what_is_full_or_will_not_be_says_so() -> None:
    assert forecast(linear(60, capacity=TB / 2)) is NoForecast.FULL
    assert forecast(linear(20, capacity=TB / 2)) is NoForecast.FULL
    assert forecast(linear(60, capacity=5 * TB)) is NoForecast.NOT_WITHIN_YEAR
    assert forecast(linear(60, growth=-0.001 * TB)) is NoForecast.NOT_WITHIN_YEAR
    assert forecast(linear(60, growth=0, capacity=0.6 * TB)) is NoForecast.NOT_WITHIN_YEAR


def test_the_same_history_has_the_same_days_and_another_subject_or_day_other_paths() -> None:
    history = noisy()
    assert forecast(history) == forecast(noisy())
    others = {forecast(replace(history, subject=str(number))) for number in range(20)}
    assert len(others) > 1
    later = forecast(replace(history, last_day=TODAY + timedelta(days=1)))
    assert later != forecast(history)


def test_the_likely_day_is_within_the_range() -> None:
    for seed in range(50):
        said = forecast(noisy(seed))
        if isinstance(said, FullBy):
            assert TODAY < said.earliest <= said.likely
            assert said.latest is None or said.likely <= said.latest

"""The hour and the day of a moment in UTC, by which usage is counted and terms apply."""

import re
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)

CLOCK_TOLERANCE = timedelta(minutes=5)
"""How much a machine's clock may differ from the database's: what is irreversible depends on it."""


def hour_of(moment: datetime) -> datetime:
    """The start of its hour, UTC."""
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def day_of(moment: datetime) -> date:
    """Its day, UTC."""
    return moment.astimezone(UTC).date()


def last_day_before(end: datetime) -> date:
    """The last day of what ends at that moment."""
    return day_of(end - timedelta(microseconds=1))


def midnight(day: date) -> datetime:
    """The beginning of a day."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def parse_day(text: str) -> date | None:
    """The day of `2026-01-31`; None for any other text. Python's own function also takes 20260131 and weeks."""
    if _DAY.fullmatch(text):
        with suppress(ValueError):
            return date.fromisoformat(text)
    return None


def parse_month(text: str) -> date | None:
    """The first day of `2026-01`; None for any other text."""
    return parse_day(f"{text}-01")


def month_before(day: date) -> date:
    """The first day of the month before that of the day. OverflowError: there is none before January of the year 1."""
    return (day.replace(day=1) - timedelta(days=1)).replace(day=1)


def month_after(day: date) -> date:
    """The first of the month after the day's."""
    return (day.replace(day=1) + timedelta(days=31)).replace(day=1)

"""The hour and the day of a moment in UTC, by which usage is counted and terms apply."""

from datetime import UTC, date, datetime, timedelta

CLOCK_TOLERANCE = timedelta(minutes=5)
"""How much a machine's clock may differ from the database's: what is irreversible depends on it."""


def hour_of(moment: datetime) -> datetime:
    """The start of its hour, UTC."""
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def day_of(moment: datetime) -> date:
    """Its day, UTC."""
    return moment.astimezone(UTC).date()


def month_after(day: date) -> date:
    """The first of the month after the day's."""
    return (day.replace(day=1) + timedelta(days=31)).replace(day=1)

"""The months of the sample data, counted back from the running one."""

from datetime import datetime

from tonnage.utc import day_of, midnight, month_before


def months_before(now: datetime, count: int) -> datetime:
    """The beginning of the month that many months before the running one."""
    first = day_of(now).replace(day=1)
    for _ in range(count):
        first = month_before(first)
    return midnight(first)

"""Plausible usage: compound growth, less on weekends, different every day. The same on every installation."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random

from tonnage.demo.scene import Customer

_WEEKEND = {5: 0.965, 6: 0.955}
"""The fraction of a weekday's bytes on a Saturday and a Sunday: scratch data is deleted, and none is written.
"""

_HOURLY_DAYS = 3


def opened_at(customer: Customer, now: datetime) -> datetime:
    """The morning of its first day."""
    return _midnight(now, customer.opened) + timedelta(hours=8)


def deletion_requested_at(customer: Customer, now: datetime) -> datetime | None:
    """The afternoon of the day on which its deletion was requested."""
    days = customer.deletion_requested
    return None if days is None else _midnight(now, days) + timedelta(hours=15)


def samples(customer: Customer, now: datetime) -> Iterator[tuple[datetime, int]]:
    """(time, bytes) from the creation to `now`: one a day, and for the last days one an hour, in order."""
    # Not for secrets: the seed makes every demo the same.
    chance = Random(customer.name)  # noqa: S311
    opened = opened_at(customer, now)
    read_only_since = deletion_requested_at(customer, now) or now
    size = customer.used_at_first
    for at in _moments(opened, now):
        if at <= read_only_since:
            growth = (customer.used_now / customer.used_at_first) ** ((at - opened) / (now - opened))
            size = int(customer.used_at_first * growth * _WEEKEND.get(at.weekday(), 1) * chance.gauss(1, 0.006))
        yield at, size if customer.ceiling is None else min(size, customer.ceiling)


def _moments(opened: datetime, now: datetime) -> Iterator[datetime]:
    hourly_from = _midnight(now, _HOURLY_DAYS)
    noon = opened.replace(hour=12)
    while noon < hourly_from:
        yield noon
        noon += timedelta(days=1)
    hour = max(hourly_from, opened)
    while hour <= now:
        yield hour
        hour += timedelta(hours=1)


def _midnight(now: datetime, days_ago: int) -> datetime:
    return (now - timedelta(days=days_ago)).replace(hour=0, minute=0, second=0, microsecond=0)

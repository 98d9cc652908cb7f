"""What the accounts of the simulated region store: made from the account's number and the day, the same every time."""

import math
from datetime import date
from random import Random

_SMALLEST, _DECADES = 10**11, 1.3
"""Bytes: accounts begin with 100 GB to 2 TB."""
_MOST_GROWTH = 0.6
_CYCLE = 730
"""Days after which an account is back where it began: it was cleaned up."""
_WEEKEND = {5: 0.985, 6: 0.98}
_OBJECT = 4_000_000


def simulated_bytes(account_id: int, day: date) -> int:
    """The bytes on a day: growth over two years, less on weekends, a little different every day."""
    of_account = Random(account_id)  # noqa: S311  not for secrets: the same on every installation
    of_day = Random(f"{account_id} {day}")  # noqa: S311
    smallest = _SMALLEST * 10 ** of_account.uniform(0, _DECADES)
    grown = 1 + of_account.uniform(0, _MOST_GROWTH) * ((day.toordinal() + account_id) % _CYCLE) / _CYCLE
    return int(smallest * grown * _WEEKEND.get(day.weekday(), 1) * of_day.gauss(1, 0.004))


def objects_of(size: int) -> int:
    """How many objects have these bytes."""
    return math.ceil(size / _OBJECT)

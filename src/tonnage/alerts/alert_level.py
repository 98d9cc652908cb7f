"""The levels at which use raises an alert, in percent of the capacity."""

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

from tonnage.errors import Invalid

DEFAULT_LEVELS = (50, 80, 90, 100)
MOST_LEVELS, HIGHEST_LEVEL = 5, 200
HYSTERESIS = 5
"""Percentage points that use must fall below a level before it can be crossed again."""


class AlertSubject(StrEnum):
    """What has a capacity that can be used up."""

    ACCOUNT = "account"
    """Use of a storage account, of its allocation."""
    PARTNER = "partner"
    """Use of all accounts of a partner, of its allocation."""
    CONTRACT = "contract"
    """Use of all partners under a contract, of what it reserves."""


class Measure(NamedTuple):
    """What is compared with the levels."""

    subject: AlertSubject
    of_cap: bool = False
    """Use beyond the allocation, of the cap of overdraft or pay-per-use."""


MEASURES = (*map(Measure, AlertSubject), *(Measure(one, True) for one in (AlertSubject.ACCOUNT, AlertSubject.PARTNER)))


def require_levels(levels: Sequence[int]) -> list[int]:
    """Levels that an organisation can have, as they are. Invalid: see the sentences."""
    if not 1 <= len(levels) <= MOST_LEVELS:
        raise Invalid.field("levels", "must be 1 to {most} levels", most=MOST_LEVELS)
    if any(not 1 <= level <= HIGHEST_LEVEL for level in levels):
        raise Invalid.field("levels", "each level must be 1 to {most} percent", most=HIGHEST_LEVEL)
    if list(levels) != sorted(set(levels)):
        raise Invalid.field("levels", "must ascend, each level once, such as 50, 80, 90, 100")
    return list(levels)

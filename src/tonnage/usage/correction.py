"""Corrections: the value of a closed day, set by the operator."""

from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from tonnage.errors import FieldError, Invalid


class AccountDays(NamedTuple):
    """The days on which an account exists, through today, and the last one that has a daily value."""

    first: date
    last: date
    rolled_up_to: date


@dataclass(frozen=True)
class Correction:
    """The right value of a day, bytes."""

    day: date
    usage: int

    def check(self, days: AccountDays, first_open: date) -> None:
        """Raises Invalid, naming `day`, for a day that cannot be corrected."""
        if not days.first <= self.day <= days.last:
            raise _invalid(f"the account existed from {days.first} to {days.last}")
        if self.day >= first_open:
            raise _invalid("the day is open for readings; import the right ones")


def _invalid(reason: str) -> Invalid:
    sentence = f"The value was not corrected: {reason}."
    return Invalid(sentence, (FieldError("day", reason),))

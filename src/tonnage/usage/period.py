"""The days of a usage report."""

from dataclasses import dataclass
from datetime import date

from tonnage.errors import FieldError, Invalid, Sentence

LONGEST_PERIOD = 400
"""Days in one report, both ends included."""


@dataclass(frozen=True, slots=True)
class Period:
    """Days from `first` through `last`, UTC. Raises Invalid, naming `from` and `to`, for none or more than 400."""

    first: date
    last: date

    def __post_init__(self) -> None:
        days = (self.last - self.first).days + 1
        if days < 1:
            raise _invalid(Sentence("from must not be later than to"))
        if days > LONGEST_PERIOD:
            raise _invalid(
                Sentence(
                    "from and to must span at most {most} days, not {days}",
                    most=LONGEST_PERIOD,
                    days=days,
                )
            )


def _invalid(sentence: Sentence) -> Invalid:
    return Invalid(sentence, (FieldError("from", sentence), FieldError("to", sentence)))

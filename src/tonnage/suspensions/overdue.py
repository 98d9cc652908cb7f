"""The rule of a seller about overdue statements: a partner is warned some days before, and then suspended.

The day of a suspension is the given number of days after the statement was due, but at the earliest as many days after
the rule was last changed as its longest warning, and after its last warning.
"""

from typing import NamedTuple
from uuid import UUID


class RulePart(NamedTuple):
    """A part of a seller's overdue statements that the rule was applied to."""

    statements: int
    last: UUID | None
    """Where the next part begins; None: there was nothing more."""
    partners: list[UUID]
    """Those that were suspended, or warned."""


class ResumedPart(NamedTuple):
    """A part of the suspended partners whose statements were looked at."""

    partners: int
    last: UUID | None
    resumed: list[UUID]

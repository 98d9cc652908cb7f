"""The epoch: a number that only grows. It is committed in the database, then recorded outside of it.

Outside greater than inside means that the database is older than what was done: it was put back from a backup.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from tonnage.error_codes import UnavailableCode
from tonnage.errors import Unavailable


class Hold(NamedTuple):
    """Nothing is destroyed, repaired or mailed until an operator confirms the database. `epoch`: the highest one that
    was seen outside. `newest_job`: the id of the newest job at its beginning."""

    since: datetime
    reason: str
    epoch: int
    newest_job: int


class Installation(NamedTuple):
    """This database: the id of its installation, its epoch, and the hold that is on, if any."""

    id: UUID
    epoch: int
    hold: Hold | None


@dataclass(frozen=True)
class Permit:
    """Permission to change the cluster of one region, as decided by a database at least as new as `epoch`.

    `now`: the earlier of this machine's time and the cluster's. A clock that is ahead makes nothing due or old.
    """

    region_id: int
    epoch: int
    now: datetime


class OnHold(Unavailable):
    """The database may be older than what was done on clusters. Work that raises this waits for the operator."""

    def __init__(self, message: str, /, **values: object) -> None:
        super().__init__(message, UnavailableCode.ON_HOLD, **values)


def on_hold(hold: Hold) -> OnHold:
    """The error for work that has to wait."""
    return OnHold("{reason} Run `tonnage restore check`.", reason=hold.reason)

"""Compares this machine's clock with the database's: jobs purge and drop by it, and a wrong one would be early."""

import logging
from datetime import datetime
from time import monotonic

from tonnage.clock import WallClock
from tonnage.db import Database
from tonnage.error_codes import UnavailableCode
from tonnage.errors import Unavailable
from tonnage.jobs import queries
from tonnage.utc import CLOCK_TOLERANCE

_log = logging.getLogger(__name__)

_PAUSE = 10.0
"""Seconds for which a result counts."""


class ClockCheck:
    """Whether a worker may take jobs: with a wrong clock it leaves them to the others."""

    def __init__(self, database: Database, clock: WallClock) -> None:
        self._database = database
        self._clock = clock
        self._checked_at: float | None = None
        self._agrees = True

    async def agrees(self) -> bool:
        """False: the clocks differ. Logs when that begins and ends."""
        if self._checked_at is None or monotonic() - self._checked_at >= _PAUSE:
            of_database = await self._database.run(queries.database_time)
            before, self._agrees, self._checked_at = self._agrees, True, monotonic()
            try:
                require_clock(of_database, self._clock())
            except Unavailable as error:
                self._agrees = False
                if before:
                    _log.error("%s This worker takes no jobs until then.", error)
            else:
                if not before:
                    _log.warning("the clocks agree again; this worker takes jobs")
        return self._agrees


def require_clock(of_database: datetime, here: datetime) -> None:
    """Unavailable unless both clocks agree: with a wrong clock, data would be purged or dropped too early."""
    apart = abs(of_database - here)
    if apart > CLOCK_TOLERANCE:
        raise Unavailable(
            f"The clocks of this machine and of the database are {apart.total_seconds():.0f} s apart. "
            "Synchronise both with NTP.",
            UnavailableCode.CLOCKS_DIFFER,
        )

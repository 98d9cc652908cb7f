"""The business time of a sandbox: it stands in the database, the same for every process, until it is advanced."""

from datetime import UTC, datetime
from typing import TypedDict

from tonnage.clock import BusinessClock, system_time
from tonnage.db import Connection, Database


class ClockOptions(TypedDict):
    """The options of `Services` about this clock."""

    business_clock: BusinessClock
    sandbox_clock: "SandboxClock"


class SandboxClock:
    """The business time as this process has last read it. Of a database that is no sandbox: this machine's time."""

    def __init__(self, time: datetime | None = None) -> None:
        self.time = time
        """None: the database is no sandbox, which it cannot become later; or it was not asked yet."""

    def read(self) -> datetime:
        """The time, with its zone."""
        return self.time or system_time()

    async def find(self, conn: Connection) -> None:
        """Finds out whether the database is a sandbox. To be called once in a process, before it works."""
        self._see(await _time(conn))

    async def refresh(self, database: Database) -> None:
        """Reads what another process may have advanced. In a database that is no sandbox it asks nothing."""
        if self.time is not None:
            self._see(await database.run(_time))

    @property
    def options(self) -> ClockOptions:
        """What makes this clock the business clock of services."""
        return {"business_clock": BusinessClock(self.read), "sandbox_clock": self}

    def _see(self, time: datetime | None) -> None:
        # Of two requests at once, the one that has asked later may be answered first.
        self.time = max(self.time, time) if self.time and time else time


async def _time(conn: Connection) -> datetime | None:
    row = await (await conn.execute("select business_time from sandbox_clock")).fetchone()
    return row[0].astimezone(UTC) if row else None

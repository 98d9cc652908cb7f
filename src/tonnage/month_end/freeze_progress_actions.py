"""Stores how far a freeze has come while it goes on."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from datetime import date
from uuid import UUID

import psycopg
from psycopg_pool import PoolTimeout

from tonnage.clock import WallClock
from tonnage.db import Database
from tonnage.db.deadlines import JOB_WAIT, WaitLimit, limited
from tonnage.errors import TonnageError
from tonnage.month_end.freeze_progress import FreezeProgress, Report
from tonnage.month_end.freezing_queries import store_progress

_PERIOD = 1.0
"""Seconds between two that are stored."""


class _Latest:
    """What was reported last."""

    def __init__(self, also: Report | None) -> None:
        self.progress: FreezeProgress | None = None
        self._also = also

    def report(self, progress: FreezeProgress) -> None:
        self.progress = progress
        if self._also is not None:
            self._also(progress)


@asynccontextmanager
async def storing_progress(
    database: Database, clock: WallClock, seller_id: UUID, first: date, also: Report | None, period: float = _PERIOD
) -> AsyncGenerator[Report]:
    """What is reported is stored on another connection than that of the freeze, whose transactions nobody sees into.
    The freeze does not wait for it: where all connections are taken by freezes, nothing is stored.

    `also` receives it at once.
    """
    latest = _Latest(also)
    task = asyncio.create_task(_store(database, clock, seller_id, first, latest, period))
    try:
        yield latest.report
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _store(
    database: Database, clock: WallClock, seller_id: UUID, first: date, latest: _Latest, period: float
) -> None:
    while True:
        # Also where nothing has changed: what is not stored again is of a freeze that was killed.
        if latest.progress is not None:
            with suppress(psycopg.Error, PoolTimeout, TonnageError), limited(WaitLimit(JOB_WAIT)):
                await database.run(store_progress, seller_id, first, latest.progress, clock())
        await asyncio.sleep(period)

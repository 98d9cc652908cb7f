"""Computes all forecasts, in parts: reads the use of some, computes in a thread without a connection, and stores.

A run that was killed leaves right forecasts, and the next one computes all of them again. Runs at the same time store
the same.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from tonnage.alerts.alert_level import AlertSubject
from tonnage.clock import WallClock
from tonnage.db import Database
from tonnage.forecasts import queries
from tonnage.forecasts.forecast import FullBy
from tonnage.forecasts.measured_subject import MeasuredSubject, place_of
from tonnage.forecasts.queries import ForecastRun
from tonnage.utc import day_of

if TYPE_CHECKING:
    from tonnage.forecasts.history import Histories

_AT_ONCE = 500


async def compute(database: Database, now: datetime, wall_clock: WallClock) -> ForecastRun:
    """Forecasts of all that has a capacity, from the use until yesterday."""
    # NumPy takes a tenth of a second and 20 MB: only processes that compute forecasts have it.
    from tonnage.forecasts.history import Histories  # noqa: PLC0415

    began, histories = wall_clock(), Histories(day_of(now) - timedelta(days=1))
    first, last = histories.first, histories.last
    subjects = forecasts = 0
    for kind, parts in (
        (AlertSubject.ACCOUNT, database.pages(queries.measured_accounts, first, last, id_of=place_of, size=_AT_ONCE)),
        (AlertSubject.PARTNER, database.pages(queries.measured_partners, first, last, id_of=place_of, size=_AT_ONCE)),
        # After the partners, whose sums theirs are.
        (AlertSubject.CONTRACT, database.pages(queries.open_contracts, id_of=place_of, size=_AT_ONCE)),
    ):
        counted = await _compute(database, kind, parts, histories)
        subjects, forecasts = subjects + counted[0], forecasts + counted[1]
    await database.run(queries.delete_obsolete)
    finished = wall_clock()
    run = ForecastRun(finished, (finished - began).total_seconds(), subjects, forecasts)
    await database.run(queries.record_run, run)
    return run


async def _compute(
    database: Database,
    kind: AlertSubject,
    parts: AsyncGenerator[list[MeasuredSubject]],
    histories: "Histories",
) -> tuple[int, int]:
    """How many have a capacity, and of how many there is a forecast."""
    subjects = forecasts = 0
    async with aclosing(parts):
        async for part in parts:
            # NumPy leaves the lock of the interpreter to others for most of the time.
            found = await asyncio.to_thread(histories.forecasts, part)
            await database.run(queries.store, kind, found, histories.last + timedelta(days=1))
            subjects += len(found)
            forecasts += sum(isinstance(one, FullBy) for _, one in found)
    return subjects, forecasts

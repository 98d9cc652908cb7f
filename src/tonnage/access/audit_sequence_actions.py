"""Gives the entries of the audit log their positions, compares all of them, and drops those of old months."""

import logging
from collections.abc import AsyncGenerator
from datetime import datetime

from tonnage.access import audit_sequence_queries as queries
from tonnage.access.audit_sequence import Mismatch, first_kept_month, first_of_each_organisation
from tonnage.db import Connection, Database

_log = logging.getLogger(__name__)

_AT_ONCE = 5_000
"""Entries in a transaction."""

_COMPARED_AT_ONCE = 20_000


async def sequence_entries(database: Database) -> int:
    """Gives a position to every committed entry that has none, in batches. Returns their number; 0 also when another
    process is doing it.
    """
    total = 0
    while True:
        placed = await database.transaction(_sequence_batch)
        total += placed
        if placed < _AT_ONCE:
            return total


async def _sequence_batch(conn: Connection) -> int:
    if not await queries.hold_sequence(conn):
        return 0
    # Two statements: the second must see the entries of all transactions that the first does not find any more.
    progress, writers = await queries.sequence_progress(conn)
    if writers.newest <= progress.complete_to:
        return 0
    placed, last = await queries.number_entries(conn, progress.complete_to, _AT_ONCE)
    advanced = progress.advanced(writers, last if placed == _AT_ONCE else None)
    if advanced != progress:
        await queries.record_progress(conn, advanced)
    return placed


async def verify(database: Database) -> tuple[int, list[Mismatch]]:
    """The number of entries with positions, and the first one of each organisation that does not fit."""
    first = await database.run(queries.last_dropped)
    last = await database.run(queries.last_position)
    found = [one async for some in _compared(database, first, last) for one in some]
    found += await database.run(queries.unnumbered, 0)
    return last - first, first_of_each_organisation(found)


async def drop_old_entries(database: Database, months: int, now: datetime) -> int:
    """Drops the entries that were made before the last `months` months, and the present one, in batches.

    Nothing that does not fit is dropped, nor what follows it: it would be lost what was changed. Returns their number.
    """
    before, total = first_kept_month(months, now), 0
    while True:
        first = await database.run(queries.last_dropped)
        if wrong := await database.run(queries.mismatches, first, first + _AT_ONCE):
            _log.error("Old entries of the audit log stay, because one does not fit: %s: %s", wrong[0], wrong[0].reason)
            return total
        dropped = await database.run(queries.drop_entries, before, _AT_ONCE)
        total += dropped
        if dropped < _AT_ONCE:
            return total


async def _compared(database: Database, first: int, last: int) -> AsyncGenerator[list[Mismatch]]:
    for after in range(first, last, _COMPARED_AT_ONCE):
        # Each by itself, so that no snapshot is held for minutes: entries never change.
        yield first_of_each_organisation(
            await database.run(queries.mismatches, after, min(last, after + _COMPARED_AT_ONCE))
        )

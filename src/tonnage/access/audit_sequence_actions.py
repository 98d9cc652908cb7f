"""Gives the entries of the audit log their positions, and compares all of them."""

from collections.abc import AsyncGenerator

from tonnage.access import audit_sequence_queries as queries
from tonnage.access.audit_sequence import Mismatch, first_of_each_organisation
from tonnage.db import Connection, Database

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
    """The number of positions, and the first entry of each organisation that does not fit."""
    last = await database.run(queries.last_position)
    found = [one async for some in _compared(database, last) for one in some]
    found += await database.run(queries.unnumbered, 0)
    return last, first_of_each_organisation(found)


async def _compared(database: Database, last: int) -> AsyncGenerator[list[Mismatch]]:
    for after in range(0, last, _COMPARED_AT_ONCE):
        # Each by itself, so that no snapshot is held for minutes: entries never change.
        yield first_of_each_organisation(
            await database.run(queries.mismatches, after, min(last, after + _COMPARED_AT_ONCE))
        )

"""Makes events of the audit log's entries, and gives them to readers."""

from datetime import datetime
from uuid import UUID

from tonnage.db import Connection, Database
from tonnage.errors import Gone
from tonnage.events import queries
from tonnage.events.event_feed import FeedPage, FeedReader, first_kept
from tonnage.events.registry import TYPE_OF_ACTION

_AT_ONCE = 5_000


async def publish(database: Database) -> int:
    """Makes events of all entries that have a position, in batches. Returns the number of these entries."""
    total = 0
    while True:
        done = await database.run(queries.publish, TYPE_OF_ACTION, _AT_ONCE)
        total += done
        if done < _AT_ONCE:
            return total


async def read_feed(
    conn: Connection, reader: FeedReader, after: UUID | None, types: list[str], most: int, now: datetime
) -> FeedPage:
    """The next events. Gone: events after `after` are not kept any more, so that some may have been missed."""
    page = await queries.feed_page(conn, reader, after, types, most, first_kept(now))
    if page is None:
        raise Gone(
            "Events after this one are not kept any more, or there is none of this id. Read the lists that you follow "
            "again, then read events without `after`."
        )
    return page


async def delete_old(database: Database, now: datetime) -> None:
    """Deletes the events that are not kept any more, in batches."""
    while await database.run(queries.delete_old, first_kept(now), _AT_ONCE) == _AT_ONCE:
        pass

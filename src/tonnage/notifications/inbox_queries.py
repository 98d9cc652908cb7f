"""SQL of inboxes: a part of the feed of an organisation, and how far a member has read it."""

from typing import NamedTuple
from uuid import UUID

from tonnage.db import Connection, one_row
from tonnage.events.event_feed import FeedEvent, FeedReader
from tonnage.events.queries import event_params, events_of, newest_events
from tonnage.notifications.inbox import MOST_UNREAD, inbox_types, own_types


class InboxPage(NamedTuple):
    """A page of an inbox, the newest event first."""

    events: list[FeedEvent]
    read_to: int
    """The position through which the member has read."""


async def inbox_page(
    conn: Connection, reader: FeedReader, member_id: UUID, before: UUID | None, most: int
) -> InboxPage:
    """The newest `most` events, of those before an event."""
    cursor = await conn.execute(
        "select coalesce((select position from inbox_reading where member_id = %s), 0)", [member_id]
    )
    (read_to,) = await one_row(cursor)
    events = await newest_events(conn, reader, before, inbox_types(reader.kind), own_types(reader.kind), most)
    return InboxPage(events, read_to)


async def unread(conn: Connection, reader: FeedReader, member_id: UUID) -> int:
    """How many events the member has not read; at most one more than are counted. For every page: some index pages are
    read for each type."""
    found = events_of(
        reader,
        """and e.position > coalesce((select position from inbox_reading where member_id = %(member)s), 0)
            order by e.position limit %(most)s""",
        "%(types)s",
    )
    cursor = await conn.execute(
        f"select count(*) from (select from ({found}) e limit %(most)s) e",
        {
            **event_params(reader, own_types(reader.kind)),
            "types": inbox_types(reader.kind),
            "member": member_id,
            "most": MOST_UNREAD + 1,
        },
    )
    return (await one_row(cursor))[0]


async def mark_read(conn: Connection, member_id: UUID, position: int) -> None:
    """Everything through this position is read; never less than before."""
    await conn.execute(
        """
        insert into inbox_reading as r (member_id, position) values (%s, %s)
        on conflict (member_id) do update set position = greatest(r.position, excluded.position)
        """,
        [member_id, position],
    )

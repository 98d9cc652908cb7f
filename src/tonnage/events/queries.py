"""SQL of the feed of events: making events of the audit log's entries, and reading them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from tonnage.access.actor import Kind
from tonnage.db import Connection, one_row
from tonnage.events.event_feed import FeedEvent, FeedPage, FeedReader
from tonnage.events.registry import PRIVATE_TYPES, STATEMENT_TYPES
from tonnage.statements.lists import FROZEN_STATEMENT

_LONGEST_CHANGE = 16_000
"""Bytes of `before` and `after` together: more is left out, so that a body has less than 20 KB."""

# From the entry, and for a statement from what is frozen, neither of which ever changes: so an event that is sent again
# is the same. Entries have no sums of statements, because a distributor reads those of its partners; events of
# statements are for their own organisation alone. Concatenated, because jsonb_build_object sorts its fields.
_BODY: LiteralString = f"""convert_to(
    '{{"id": "' || e.id || '", "type": ' || to_json(e.type)::text
    || ', "timestamp": "' || to_char(e.at, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
    || '", "data": {{"organisationId": "' || e.organisation_id || '", "subjectId": ' || to_json(a.subject_id)
    || coalesce(', "revision": ' || (a.after ->> 'revision'), '')
    || ', "actor": {{"kind": "' || a.actor_kind || '"'
    || coalesce(', "organisationId": "' || a.actor_organisation_id || '"', '') || '}}'
    || case when octet_length(concat(a.before::text, a.after::text)) > %(longest)s then ', "isShortened": true' else
        coalesce(', "before": ' || a.before::text, '')
        || coalesce(', "after": ' || nullif(a.after - 'revision', '{{}}')::text, '') end
    || case when e.type = any(%(of_statements)s) then coalesce((
        select ', "statement": ' || {FROZEN_STATEMENT}::text from statement s where s.id = a.subject_id::uuid), '')
        else '' end || '}}}}', 'UTF8')"""


def events_of(reader: FeedReader, rest: LiteralString, types: LiteralString = "%(visible)s") -> LiteralString:
    """The events `e` that the reader sees, with further conditions, an order and a limit. Type by type, since there may
    be many others in between: each part is read from the end of an index."""
    each: LiteralString = f"select e.* from unnest({types}::text[]) as t (type) cross join lateral"
    if reader.kind is Kind.OPERATOR:
        # Of the types that are private to others only its own: there may be many of the others.
        return f"""({each} (select e.* from event e where e.type = t.type and t.type <> all(%(private)s) {rest}) e)
            union all ({each} (select e.* from event e
                where e.organisation_id = %(reader)s and e.type = t.type and t.type = any(%(private)s) {rest}) e)"""
    own: LiteralString = f"""{each} (select e.* from event e
        where e.organisation_id = %(reader)s and e.type = t.type {rest}) e"""
    if reader.kind is Kind.PARTNER:
        return own
    return f"""({own}) union all {each} (select e.* from event e
        where e.parent_id = %(reader)s and e.type = t.type and e.type <> all(%(private)s) {rest}) e"""


def event_params(reader: FeedReader, own: Sequence[str] = ()) -> dict[str, object]:
    """The parameters of that. `own`: types of which others' events are left out, beside the private ones."""
    return {
        "reader": reader.organisation_id,
        "visible": reader.types(),
        "private": sorted(PRIVATE_TYPES.union(own)),
        "longest": _LONGEST_CHANGE,
        "of_statements": sorted(STATEMENT_TYPES),
    }


async def publish(conn: Connection, type_of_action: Mapping[str, str], most: int) -> int:
    """Makes events of the next `most` entries that have a position. Returns the number of these entries.

    In the order of their positions, and one caller at a time until its commit: so an event never appears behind one
    that was already read. Nothing is locked or written where there is nothing new.
    """
    cursor = await conn.execute(
        """
        with p as materialized (
            select position from event_progress
            where position < (select max(position) from audit_sequence) for update
        ), s as materialized (
            select s.position, s.entry_id from audit_sequence s, p where s.position > p.position
            order by s.position limit %(most)s
        ), e as (
            insert into event (position, entry_id, organisation_id, parent_id, type, at)
            select s.position, a.id, a.organisation_id, a.parent_id, t.type, a.at
            from s join audit_entry a on a.id = s.entry_id
            join unnest(%(actions)s::text[], %(types)s::text[]) as t (action, type) on t.action = a.action
        ), moved as (
            update event_progress set position = (select max(position) from s) where exists (select from s)
        )
        select count(*) from s
        """,
        {"most": most, "actions": list(type_of_action), "types": list(type_of_action.values())},
    )
    return (await one_row(cursor))[0]


_FOUND: LiteralString = f"e.position, e.id, e.type, e.at, {_BODY}"


async def events_after(
    conn: Connection, reader: FeedReader, after: int, types: Sequence[str], most: int, own: Sequence[str] = ()
) -> list[FeedEvent]:
    """The next events of these types after a position, at most `most`; of the types `own` not others'."""
    rest: LiteralString = "and e.position > %(after)s order by e.position limit %(most)s"
    cursor = await conn.execute(
        f"""
        select {_FOUND}
        from (select * from ({events_of(reader, rest, "%(types)s")}) e order by e.position limit %(most)s) e
        join audit_entry a on a.id = e.entry_id order by e.position
        """,
        {**event_params(reader, own), "types": list(types), "after": after, "most": most},
    )
    return [FeedEvent(*row) for row in await cursor.fetchall()]


async def subjects_of(conn: Connection, types: Sequence[str], after: int, until: int) -> list[str]:
    """The ids of what the events of these types between two positions are about, each once, of all organisations."""
    cursor = await conn.execute(
        """
        select distinct a.subject_id from event e join audit_entry a on a.id = e.entry_id
        where e.type = any(%s) and e.position > %s and e.position <= %s order by 1
        """,
        [list(types), after, until],
    )
    return [subject for (subject,) in await cursor.fetchall()]


async def newest_events(
    conn: Connection, reader: FeedReader, before: UUID | None, types: Sequence[str], own: Sequence[str], most: int
) -> list[FeedEvent]:
    """The newest events of these types, of those before an event, newest first; of the types `own` not others'."""
    rest: LiteralString = """and (%(before)s::uuid is null or e.position < (
        select position from event where id = %(before)s)) order by e.position desc limit %(most)s"""
    cursor = await conn.execute(
        f"""
        select {_FOUND}
        from (select * from ({events_of(reader, rest, "%(types)s")}) e order by e.position desc limit %(most)s) e
        join audit_entry a on a.id = e.entry_id order by e.position desc
        """,
        {**event_params(reader, own), "types": list(types), "before": before, "most": most},
    )
    return [FeedEvent(*row) for row in await cursor.fetchall()]


async def find_event(conn: Connection, reader: FeedReader, event_id: UUID) -> FeedEvent | None:
    """One event; None if the reader has none of that id, or it is not kept any more."""
    cursor = await conn.execute(
        f"select {_FOUND} from ({events_of(reader, 'and e.id = %(event)s')}) e join audit_entry a on a.id = e.entry_id",
        {**event_params(reader), "event": event_id},
    )
    row = await cursor.fetchone()
    return FeedEvent(*row) if row else None


def _page(reader: FeedReader) -> LiteralString:
    """Whether the events after the one given are kept, the newest event, and the next ones."""
    first: LiteralString = "order by e.position limit 1"
    last: LiteralString = "order by e.position desc limit 1"
    following: LiteralString = f"and e.position > (select position from known) {first}"
    rest: LiteralString = "and e.position > (select position from start) order by e.position limit %(most)s"
    return f"""
        with known as materialized (
            select e.position, e.at from ({events_of(reader, "and e.id = %(after)s")}) e
        ), following as materialized (
            select e.at from ({events_of(reader, following)}) e {first}
        ), start as materialized (
            select case when %(after)s::uuid is null then coalesce((
                    select position from event where at < %(first_kept)s order by at desc, position desc limit 1), 0)
                    else (select position from known) end as position,
                %(after)s::uuid is null or not exists (select from following)
                    or greatest((select at from known), (select at from following)) >= %(first_kept)s as is_kept
        ), newest as (
            select e.id from ({events_of(reader, last)}) e {last}
        ), e as (
            select * from ({events_of(reader, rest, "%(types)s")}) e order by e.position limit %(most)s
        )
        select start.is_kept, newest.id, f.* from start left join newest on true
        left join (select {_FOUND} from e join audit_entry a on a.id = e.entry_id) f on start.is_kept
        where start.position is not null order by f.position"""


async def feed_page(
    conn: Connection, reader: FeedReader, after: UUID | None, types: Sequence[str], most: int, first_kept: datetime
) -> FeedPage | None:
    """The next events of these types after an event; for None from the first that is kept. None: events after that one
    are not kept any more, or it is not the reader's.

    An event that is older than those that are kept still leads on, if the next one is kept.
    """
    cursor = await conn.execute(
        _page(reader),
        {**event_params(reader), "types": list(types), "after": after, "most": most, "first_kept": first_kept},
    )
    rows = await cursor.fetchall()
    if not rows or not rows[0][0]:
        return None
    events = [FeedEvent(*row[2:]) for row in rows if row[2] is not None]
    return FeedPage(events, events[-1].id if len(events) == most else rows[0][1] or after)


async def last_position(conn: Connection) -> int:
    """The position through which all events are there; 0 before the first."""
    return (await one_row(await conn.execute("select position from event_progress")))[0]


async def delete_old(conn: Connection, before: datetime, most: int) -> int:
    """Deletes the oldest `most` events that were made before a time. Returns their number.

    The last one of each organisation and type stays: a reader that has seen the last of all goes on after it, and
    misses nothing. By type, as the index is.
    """
    cursor = await conn.execute(
        """
        with oldest as (
            select e.position from event e where e.at < %(before)s and exists (
                select from event n where n.organisation_id = e.organisation_id and n.type = e.type
                    and n.position > e.position and n.at < %(before)s)
            order by e.position limit %(most)s
        )
        delete from event e using oldest o where e.position = o.position
        """,
        {"before": before, "most": most},
    )
    return cursor.rowcount

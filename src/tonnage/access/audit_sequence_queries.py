"""SQL of the audit log's sequence: giving positions and digests, and comparing them with the entries."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from tonnage.access.audit_sequence import NO_DIGEST, Mismatch, Progress, Writers
from tonnage.db import Connection, one_row, streamed

_LOCK = 0x7365717565  # "seque", as the number of an advisory lock

# The text under the digest: everything that an entry says, and its position. Concatenated, because jsonb_build_object
# sorts its fields, and takes three times as long as all the rest. It never changes: a field that is added later must be
# left out where it is null, so that the digests of earlier entries still fit.
_TEXT: LiteralString = """(
    '{"position": ' || s.position || ', "id": ' || a.id
    || ', "at": "' || to_char(a.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
    || '", "organisationId": "' || a.organisation_id
    || '", "parentId": ' || coalesce('"' || a.parent_id || '"', 'null')
    || ', "actor": "' || a.actor_kind || '", "actorId": ' || coalesce('"' || a.actor_id || '"', 'null')
    || ', "actorOrganisationId": ' || coalesce('"' || a.actor_organisation_id || '"', 'null')
    || ', "action": ' || to_json(a.action) || ', "subjectId": ' || to_json(a.subject_id)
    || ', "before": ' || coalesce(a.before::text, 'null') || ', "after": ' || coalesce(a.after::text, 'null') || '}')"""

_LAST: LiteralString = """greatest(
    (select max(position) from audit_sequence), (select max(position) from audit_dropped), 0)"""

# Not under the digest: it is deleted after a time. A request id has no characters that JSON would escape.
_CLIENT: LiteralString = """coalesce(', "client": {"address": ' || coalesce('"' || host(c.address) || '"', 'null')
    || ', "requestId": "' || c.request_id || '"}', '')"""


async def hold_sequence(conn: Connection) -> bool:
    """Whether the caller's transaction may give positions: one at a time does."""
    return (await one_row(await conn.execute("select pg_try_advisory_xact_lock(%s)", [_LOCK])))[0]


async def sequence_progress(conn: Connection) -> tuple[Progress, Writers]:
    """How far it has come, and who is writing entries now.

    A transaction that writes an entry holds a lock on the table, from before the entry gets its id until its commit can
    be seen. So if it has one of the ids through the newest, and has not ended, it is among these.
    """
    cursor = await conn.execute(
        """
        select p.complete_to, p.awaited_to, p.awaited, (select coalesce(max(id), 0) from audit_entry),
            array(select l.virtualtransaction from pg_locks l
                  where l.relation = 'audit_entry'::regclass and l.mode = 'RowExclusiveLock'
                    and l.database = (select oid from pg_database where datname = current_database()))
        from audit_sequence_progress p
        """
    )
    complete_to, awaited_to, awaited, newest, transactions = await one_row(cursor)
    return Progress(complete_to, awaited_to, frozenset(awaited)), Writers(newest, frozenset(transactions))


async def record_progress(conn: Connection, progress: Progress) -> None:
    """Records how far it has come."""
    await conn.execute(
        "update audit_sequence_progress set complete_to = %s, awaited_to = %s, awaited = %s",
        [progress.complete_to, progress.awaited_to, sorted(progress.awaited)],
    )


async def number_entries(conn: Connection, complete_to: int, most: int) -> tuple[int, int]:
    """Gives the next positions to the first `most` entries that have none, of those after the id `complete_to`.

    Returns their number and the last id. The caller holds the sequence.
    """
    cursor = await conn.execute(
        f"""
        with waiting as materialized (
            select a.* from audit_entry a
            where a.id > %(complete_to)s and not exists (
                select from audit_sequence s where s.entry_id = a.id and s.entry_id > %(complete_to)s)
            order by a.id limit %(most)s
        ), s as materialized (
            select id as entry_id, organisation_id, row_number() over (order by id)
                + {_LAST} as position
            from waiting
        ), chain as materialized (
            select o.organisation_id, coalesce(
                (select s.digest from audit_sequence s where s.organisation_id = o.organisation_id
                 order by s.position desc limit 1),
                (select d.digest from audit_dropped d where d.organisation_id = o.organisation_id),
                %(no_digest)s) as previous
            from (select distinct organisation_id from waiting) o
        ), placed as (
            insert into audit_sequence (position, entry_id, organisation_id, digest)
            select s.position, s.entry_id, s.organisation_id,
                audit_digest(c.previous, {_TEXT}) over (partition by s.organisation_id order by s.position)
            from s join waiting a on a.id = s.entry_id join chain c on c.organisation_id = s.organisation_id
            returning entry_id
        )
        select count(*), coalesce(max(entry_id), 0) from placed
        """,
        {"complete_to": complete_to, "most": most, "no_digest": NO_DIGEST},
    )
    return await one_row(cursor)


async def last_position(conn: Connection) -> int:
    """The last position that was given; 0 if none was."""
    return (await one_row(await conn.execute(f"select {_LAST}")))[0]


async def last_dropped(conn: Connection) -> int:
    """The last position whose entry was dropped, because it was older than entries are kept; 0 if none was."""
    return (await one_row(await conn.execute("select coalesce(max(position), 0) from audit_dropped")))[0]


async def drop_entries(conn: Connection, before: datetime, most: int) -> int:
    """Drops the oldest entries that were made before `before`, the beginning of a month, at most `most` of them.

    Returns their number.
    """
    return (await one_row(await conn.execute("select drop_audit_entries(%s, %s)", [before, most])))[0]


async def mismatches(conn: Connection, after: int, until: int) -> list[Mismatch]:
    """What does not fit among the positions after `after`, through `until`, in order of position.

    An entry fits when its digest is that of its text after the previous digest of its organisation.
    """
    cursor = await conn.execute(
        f"""
        with s as materialized (
            select s.*, lag(s.digest) over (partition by s.organisation_id order by s.position) as previous,
                lag(s.position, 1, greatest(
                    (select max(p.position) from audit_sequence p where p.position <= %(after)s),
                    (select max(d.position) from audit_dropped d), 0)) over (order by s.position) as before_it
            from audit_sequence s where s.position > %(after)s and s.position <= %(until)s
        )
        select null, s.position - 1, null, 'the position is missing' from s where s.before_it <> s.position - 1
        union all
        select s.organisation_id, s.position, s.entry_id, case when a.id is null
            then 'the entry is missing' else 'the entry or one before it was changed' end
        from s left join audit_entry a on a.id = s.entry_id and a.organisation_id = s.organisation_id
        where a.id is null or s.digest <> sha256(coalesce(
                s.previous,
                (select p.digest from audit_sequence p
                 where p.organisation_id = s.organisation_id and p.position <= %(after)s
                 order by p.position desc limit 1),
                (select d.digest from audit_dropped d where d.organisation_id = s.organisation_id),
                %(no_digest)s) || convert_to({_TEXT}, 'UTF8'))
        order by 2, 1 nulls first
        """,
        {"after": after, "until": until, "no_digest": NO_DIGEST},
    )
    return [Mismatch(*row) for row in await cursor.fetchall()]


async def unnumbered(conn: Connection, after: int) -> list[Mismatch]:
    """The first entry of each organisation that should have a position and has none, of those after the id `after`."""
    cursor = await conn.execute(
        """
        select a.organisation_id, null::bigint, min(a.id), 'the entry has no position'
        from audit_entry a
        where a.id > %(after)s and a.id <= (select complete_to from audit_sequence_progress) and not exists (
            select from audit_sequence s where s.entry_id = a.id and s.entry_id > %(after)s)
        group by a.organisation_id order by 3
        """,
        {"after": after},
    )
    return [Mismatch(*row) for row in await cursor.fetchall()]


async def dropped_lines(conn: Connection, organisation_id: UUID | None) -> AsyncGenerator[tuple[int, str]]:
    """The position and the line of a file for each organisation of which entries were dropped, in that order; for None
    all of them. They come before its entries.

    For the connection see `db.streamed`.
    """
    matching: LiteralString = "true" if organisation_id is None else "d.organisation_id = %(organisation)s"
    statement: LiteralString = f"""
        select d.position, '{{"dropped": {{"organisationId": "' || d.organisation_id || '", "position": ' || d.position
            || ', "digest": "' || encode(d.digest, 'hex') || '"}}}}'
        from audit_dropped d where {matching} order by d.position"""
    async for line in _lines(conn, statement, organisation_id):
        yield line


async def sequenced_lines(conn: Connection, organisation_id: UUID | None) -> AsyncGenerator[tuple[int, str]]:
    """The position and the line of a file for each entry that has a position, in that order; for None all of them.

    For the connection see `db.streamed`.
    """
    matching: LiteralString = "true" if organisation_id is None else "s.organisation_id = %(organisation)s"
    statement: LiteralString = f"""
        select s.position,
            '{{"digest": "' || encode(s.digest, 'hex') || '"' || {_CLIENT} || ', "entry": ' || {_TEXT} || '}}'
        from audit_sequence s join audit_entry a on a.id = s.entry_id
        left join audit_entry_client c on c.entry_id = a.id where {matching} order by s.position"""
    async for line in _lines(conn, statement, organisation_id):
        yield line


async def _lines(
    conn: Connection, statement: LiteralString, organisation_id: UUID | None
) -> AsyncGenerator[tuple[int, str]]:
    async with aclosing(streamed(conn, statement, {"organisation": organisation_id})) as rows:
        async for position, line in rows:
            yield position, line

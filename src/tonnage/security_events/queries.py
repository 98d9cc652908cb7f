"""SQL of security events."""

from datetime import datetime
from uuid import UUID

from tonnage.db import Connection, one_row
from tonnage.security_events.counted_event import CountedEvent


async def count_event(conn: Connection, event: CountedEvent) -> UUID | None:
    """Counts an event; returns the organisation whose it is. None: of nobody, as at an address that no member has. The
    same work is done for those.
    """
    cursor = await conn.execute(
        """
        insert into counted_event as e (hour, action, subject_id, code, organisation_id, actor, times)
        values (%(hour)s, %(action)s, %(subject)s, %(code)s, coalesce(%(organisation)s::uuid, (
            select m.organisation_id from member m where m.id = %(subject)s)), %(stamp)s, 1)
        on conflict (hour, action, subject_id, code) do update set times = e.times + 1, actor = excluded.actor
        returning organisation_id
        """,
        {
            "hour": event.hour,
            "action": event.action,
            "subject": event.subject_id,
            "code": event.code,
            "organisation": event.organisation_id,
            "stamp": event.stamp,
        },
    )
    return (await one_row(cursor))[0]


async def audit_counted(conn: Connection, until: datetime) -> int:
    """Makes an entry of each number of the hours that begin before `until`, in its place. Returns how many."""
    cursor = await conn.execute(
        """
        with ended as (
            delete from counted_event where hour < %(until)s returning *
        ), ordered as (
            select * from ended where organisation_id is not null order by hour, action, subject_id, code
        )
        select count(audit(actor, organisation_id, action, subject_id::text, null, jsonb_strip_nulls(jsonb_build_object(
            'times', times, 'code', nullif(code, ''),
            'hour', to_char(hour at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')))))
        from ordered
        """,
        {"until": until},
    )
    return (await one_row(cursor))[0]


async def audit_export(conn: Connection, organisation_id: UUID, name: str, stamp: str) -> None:
    """Records that a file was exported."""
    cursor = await conn.execute(
        """
        select audit(%(stamp)s, %(organisation)s, 'organisation.export-file', %(organisation)s::text, null,
                     jsonb_build_object('file', %(file)s::text))
        """,
        {"organisation": organisation_id, "file": name, "stamp": stamp},
    )
    await cursor.fetchone()

"""SQL of organisations and audit; of members and API keys, see member_queries and key_queries."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from tonnage.db import Connection, ListQuery

_ENTRY = """json_strip_nulls(json_build_object(
    'id', a.id, 'at', to_char(a.at, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), 'actor', a.actor_kind,
    'actorId', a.actor_id, 'organisationId', a.organisation_id, 'action', a.action, 'subjectId', a.subject_id,
    'before', a.before, 'after', a.after))"""


async def insert_distributor(
    conn: Connection, distributor_id: UUID | None, name: str, now: datetime, stamp: str
) -> UUID:
    """The new distributor's id: the one given, or a random one."""
    cursor = await conn.execute(
        """
        with o as (
            insert into organisation (id, kind, name, created_at)
            values (coalesce(%(id)s::uuid, gen_random_uuid()), 'distributor', %(name)s, %(now)s) returning id, name
        )
        select o.id, audit(%(stamp)s, o.id, 'distributor.create', o.id::text, null, jsonb_build_object('name', o.name))
        from o
        """,
        {"id": distributor_id, "name": name, "now": now, "stamp": stamp},
    )
    return (await _the_row(cursor))[0]


async def organisation_kind(conn: Connection, organisation_id: UUID) -> str | None:
    """The kind of an organisation that is open, or None."""
    cursor = await conn.execute("select kind from organisation where id = %s and closed_at is null", [organisation_id])
    row = await cursor.fetchone()
    return row[0] if row else None


async def organisation_names(conn: Connection, ids: Sequence[str]) -> dict[str, str]:
    """The names of those organisations among `ids`, closed ones too. What is no such id is left out."""
    cursor = await conn.execute("select id::text, name from organisation where id::text = any(%s)", [list(ids)])
    return dict(await cursor.fetchall())


async def operator_id(conn: Connection) -> UUID:
    """The one operator, which every database has from its first revision."""
    return (await _the_row(await conn.execute("select id from organisation where kind = 'operator'")))[0]


def distributors() -> ListQuery:
    """All distributors that are open: id and name."""
    return ListQuery(
        """
        select o.seq, json_build_object('id', o.id, 'name', o.name)
        from organisation o
        where o.kind = 'distributor' and o.closed_at is null and (%(after)s::bigint is null or o.seq > %(after)s)
        order by o.seq limit %(limit)s
        """,
        {},
    )


def latest_audit(organisation_id: UUID | None, newest: int) -> ListQuery:
    """The `newest` last entries, oldest first, on what is an organisation's or its children's; on all for None.

    A closed organisation's are still there.
    """
    return ListQuery(
        f"""
        select coalesce(a.id, 0), case when a.id is not null then {_ENTRY} end
        from (select where %(organisation)s::uuid is null
              or exists (select from organisation where id = %(organisation)s)) as known
        left join (
            select * from audit_entry
            where %(organisation)s::uuid is null or organisation_id in (
                select id from organisation where %(organisation)s in (id, parent_id))
            order by id desc limit %(newest)s
        ) a on %(after)s::bigint is null or a.id > %(after)s
        order by a.id limit %(limit)s
        """,
        {"organisation": organisation_id, "newest": newest},
    )


async def _the_row(cursor: Any) -> tuple[Any, ...]:
    row = await cursor.fetchone()
    if row is None:
        raise LookupError("the statement returns a row whenever it succeeds")
    return row

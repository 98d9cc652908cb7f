"""SQL of organisations."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from tonnage.db import Connection, ListQuery, one_row
from tonnage.db.rendered import TIMESTAMP_FORMAT
from tonnage.keyset import by_name
from tonnage.names import name_key


async def insert_distributor(
    conn: Connection, distributor_id: UUID | None, name: str, now: datetime, stamp: str
) -> UUID:
    """Returns the new distributor's id: the given one, or a random one."""
    cursor = await conn.execute(
        """
        with o as (
            insert into organisation (id, kind, name, name_key, created_at)
            values (coalesce(%(id)s::uuid, gen_random_uuid()), 'distributor', %(name)s, %(name_key)s, %(now)s)
            returning id, name
        )
        select o.id, audit(%(stamp)s, o.id, 'distributor.create', o.id::text, null, jsonb_build_object('name', o.name))
        from o
        """,
        {"id": distributor_id, "name": name, "name_key": name_key(name), "now": now, "stamp": stamp},
    )
    return (await one_row(cursor))[0]


async def organisation_kind(conn: Connection, organisation_id: UUID) -> str | None:
    """The kind of an open organisation; None if there is no such one."""
    cursor = await conn.execute("select kind from organisation where id = %s and closed_at is null", [organisation_id])
    row = await cursor.fetchone()
    return row[0] if row else None


async def hold_open_organisation(conn: Connection, organisation_id: UUID, parent: UUID | None = None) -> bool:
    """Holds the row of an open organisation, a partner of `parent` unless that is None, until the transaction ends:
    the next statement sees all that belongs to it. False: there is no such one.
    """
    cursor = await conn.execute(
        """
        select from organisation
        where id = %(organisation)s and (%(parent)s::uuid is null or parent_id = %(parent)s) and closed_at is null
        for no key update
        """,
        {"organisation": organisation_id, "parent": parent},
    )
    return await cursor.fetchone() is not None


async def organisation_names(conn: Connection, ids: Sequence[str]) -> dict[str, str]:
    """The names of the organisations among `ids`, closed ones too. Texts that are not such ids are left out."""
    uuids = [found for found in map(_uuid, ids) if found]
    if not uuids:
        return {}
    cursor = await conn.execute("select id::text, name from organisation where id = any(%s::uuid[])", [uuids])
    return dict(await cursor.fetchall())


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


async def operator_id(conn: Connection) -> UUID:
    """The id of the only operator, which every database has from its first revision."""
    return (await one_row(await conn.execute("select id from organisation where kind = 'operator'")))[0]


async def distributor_choices(conn: Connection) -> list[tuple[UUID, str]]:
    """The ids and names of all open distributors, by name."""
    cursor = await conn.execute(
        f"""
        select o.id, o.name from organisation o where o.kind = 'distributor' and o.closed_at is null
        order by {", ".join([column.expression for column in by_name("o")])}
        """
    )
    return [(distributor_id, name) for distributor_id, name in await cursor.fetchall()]


def distributors(*, closed: bool) -> ListQuery:
    """The list of all open or of all closed distributors: id, name, and since when it is locked or closed."""
    return ListQuery(
        f"""
        select o.seq, json_strip_nulls(json_build_object(
            'id', o.id, 'name', o.name, 'lockedAt', to_char(o.locked_at, {TIMESTAMP_FORMAT}),
            'closedAt', to_char(o.closed_at, {TIMESTAMP_FORMAT})))
        from organisation o
        where o.kind = 'distributor' and (o.closed_at is not null) = %(closed)s
            and (%(after)s::bigint is null or o.seq > %(after)s)
        order by o.seq limit %(limit)s
        """,
        {"closed": closed},
    )

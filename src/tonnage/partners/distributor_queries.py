"""SQL of the closing of distributors. Lock order: the distributor, its contracts in order of id."""

from datetime import datetime
from typing import LiteralString
from uuid import UUID

from tonnage.db import Connection

_CLOSE: LiteralString = """
    with o as (
        update organisation o set closed_at = %(now)s
        where o.id = %(id)s
            and not exists (select from partner p where p.distributor_id = o.id and p.closed_at is null)
        returning o.id, o.name
    ), held as (
        select k.id from contract k, o where k.distributor_id = o.id order by k.id for no key update of k
    ), k as (
        update contract k set closed_at = %(now)s from held where k.id = held.id returning k.id
    ), m as (
        delete from member using o where member.organisation_id = o.id returning member.id
    )
    select audit(%(stamp)s, o.id, 'distributor.close', o.id::text, jsonb_build_object(
        'name', o.name, 'contracts', k.ids, 'members', m.ids), null)
    from o, (select coalesce(jsonb_agg(id order by id), '[]') as ids from k) k,
        (select coalesce(jsonb_agg(id order by id), '[]') as ids from m) m"""


async def hold_distributor(conn: Connection, distributor_id: UUID) -> bool:
    """Holds the row of an open distributor until the transaction ends. False: there is no such one.

    Nothing comes under it meanwhile: FOR UPDATE excludes the locks of foreign keys, and of the trigger of `partner`.
    """
    cursor = await conn.execute(
        """
        select from organisation where id = %s and kind = 'distributor' and closed_at is null for update
        """,
        [distributor_id],
    )
    return await cursor.fetchone() is not None


async def close_distributor(conn: Connection, distributor_id: UUID, now: datetime, stamp: str) -> bool:
    """Closes a distributor whose row is held, and its contracts. False: it has open partners.

    The rows stay for the history. Members and keys as in `queries.close_partner`.
    """
    cursor = await conn.execute(_CLOSE, {"id": distributor_id, "now": now, "stamp": stamp})
    return await cursor.fetchone() is not None

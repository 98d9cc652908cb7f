"""SQL of the creation of partners. Lock order: see queries.py."""

from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from tonnage.db import Connection, one_row
from tonnage.db.rendered import Rendered
from tonnage.names import name_key
from tonnage.partners.partner import NewPartner
from tonnage.partners.queries import PARTNER

_INSERT: LiteralString = f"""
    with o as (
        insert into organisation (id, kind, parent_id, name, name_key, created_at)
        select coalesce(%(id)s::uuid, gen_random_uuid()), 'partner', %(scope)s, %(name)s, %(name_key)s, %(now)s
        where coalesce((select last_value from partner_seq_seq) < %(few)s::bigint, true)
        returning id, name
    ), p as (
        insert into partner (id, distributor_id, contract_id, allocated_capacity, allow_overdraft, terms_since)
        select o.id, %(scope)s, %(contract)s, %(allocated)s, %(overdraft)s, %(now)s from o returning *
    ), t as (
        insert into partner_terms (partner_id, valid_from, contract_id, allocated_capacity, allow_overdraft)
        select id, terms_since, contract_id, allocated_capacity, coalesce(allow_overdraft, false) from p
        returning id
    ), a as (
        select audit(%(stamp)s, p.id, 'partner.create', p.id::text, null, jsonb_build_object(
            'name', o.name, 'contractId', p.contract_id,
            'allocatedCapacity', p.allocated_capacity, 'allowOverdraft', p.allow_overdraft,
            'revision', p.revision))
        from p, o
    ), k as (
        update contract k set allocated_capacity = k.allocated_capacity + %(allocated)s
        from (select count(*) as created from t, a) as before_this
        where k.id = %(contract)s and k.distributor_id = %(scope)s and created > 0
    )
    select p.id, save_response(%(stamp)s, {PARTNER}, p.revision) from p, o"""


async def insert_partner(
    conn: Connection, scope: UUID, partner: NewPartner, now: datetime, stamp: str, partner_id: UUID | None = None
) -> Rendered[UUID]:
    """Returns the new partner.

    Constraints: partner_contract, the distributor `scope` has no such contract; contract_capacity or overflow, the
    contract does not have enough capacity left.
    """
    cursor = await conn.execute(_INSERT, _params(scope, partner, None, now, stamp, partner_id))
    return Rendered(*await one_row(cursor))


async def insert_partner_if_few(
    conn: Connection, scope: UUID, partner: NewPartner, few: int, now: datetime, stamp: str, partner_id: UUID | None
) -> Rendered[UUID] | None:
    """The same, unless `few` partners or more were ever created by anybody: then None."""
    cursor = await conn.execute(_INSERT, _params(scope, partner, few, now, stamp, partner_id))
    row = await cursor.fetchone()
    return Rendered(*row) if row else None


def _params(
    scope: UUID, partner: NewPartner, few: int | None, now: datetime, stamp: str, partner_id: UUID | None
) -> dict[str, Any]:
    return {
        "id": partner_id,
        "scope": scope,
        "contract": partner.contract_id,
        "name": partner.name,
        "name_key": name_key(partner.name),
        "allocated": partner.allocated_capacity,
        "overdraft": partner.allow_overdraft,
        "few": few,
        "now": now,
        "stamp": stamp,
    }


async def count_partners(conn: Connection, scope: UUID, most: int | None) -> int:
    """The number of the distributor's open partners, at most `most` unless that is None: from an index alone."""
    cursor = await conn.execute(
        """
        select count(*) from (
            select from partner where distributor_id = %s and closed_at is null limit %s
        ) p
        """,
        [scope, most],
    )
    return (await one_row(cursor))[0]

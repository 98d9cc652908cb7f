"""SQL of a partner's move from one contract to another. For the locks see queries.py."""

from datetime import datetime
from typing import LiteralString, NamedTuple
from uuid import UUID

from tonnage.db import Connection
from tonnage.db.rendered import Versioned
from tonnage.partners.queries import EFFECTIVE, PARTNER

_MOVE: LiteralString = f"""
    with old as (
        select p.*, o.name from partner p join organisation o on o.id = p.id
        where p.id = %(id)s and p.distributor_id = %(scope)s and p.closed_at is null
            and coalesce(p.revision = %(revision)s, true)
        for no key update of p
    ), stale as (
        select coalesce(old.contract_id not in (%(expected)s::uuid, %(contract)s::uuid), false) as is_stale from old
    ), locked as (
        select k.* from contract k, old
        where k.id in (old.contract_id, %(contract)s) and k.distributor_id = %(scope)s
        order by k.id for no key update of k
    ), allowed as (
        select old.* from old
        join stale on not stale.is_stale
        join locked here on here.id = old.contract_id
        join locked there on there.id = %(contract)s and there.currency = here.currency
    ), p as (
        update partner p set contract_id = %(contract)s,
            terms_since = case
                when p.contract_id <> %(contract)s then greatest(%(now)s, p.terms_since) else p.terms_since end,
            revision = p.revision + case when p.contract_id <> %(contract)s then 1 else 0 end
        from allowed where p.id = allowed.id
        returning p.*
    ), t as (
        insert into partner_terms (partner_id, valid_from, contract_id, allocated_capacity, allow_overdraft)
        select p.id, p.terms_since, p.contract_id, p.allocated_capacity, coalesce(p.allow_overdraft, false)
        from p, old where p.contract_id <> old.contract_id
    ), a as (
        select audit(%(stamp)s, p.id, 'partner.move', p.id::text,
            jsonb_build_object('contractId', old.contract_id),
            jsonb_build_object('contractId', p.contract_id, 'revision', p.revision))
        from p, old where p.contract_id <> old.contract_id
    ), k as (
        update contract k set reserved_capacity = locked.reserved_capacity,
            allocated_capacity = locked.allocated_capacity
                + {EFFECTIVE} * case when k.id = p.contract_id then 1 else -1 end,
            used = locked.used + case when k.id = p.contract_id then old.used else -old.used end
        from locked, p, old, a where k.id = locked.id
    )
    select stale.is_stale, case when p.id is not null then save_response(%(stamp)s, {PARTNER}, p.revision) end,
        p.revision
    from old o cross join stale left join p on true where (select count(*) from a) >= 0"""


class Moved(NamedTuple):
    """The result of a move."""

    stale: bool
    """The partner is neither under the expected contract nor under the target contract, so it was not moved."""
    partner: Versioned | None
    """Under its new contract. None: it was not moved."""


async def move_partner(
    conn: Connection,
    scope: UUID,
    partner_id: UUID,
    contract_id: UUID,
    expected: UUID | None,
    revision: int | None,
    now: datetime,
    stamp: str,
) -> Moved | None:
    """Moves a partner. None if the distributor `scope` has no such partner. The target must be a contract of the
    distributor in the currency of the present one. If `expected` is given, the present contract must be that one; if
    `revision` is given, it must be the present one.

    Constraint contract_capacity or overflow: the target contract does not have enough capacity left. Both contracts are
    locked in order of id, so that two opposite moves wait for each other instead of a deadlock.
    """
    cursor = await conn.execute(
        _MOVE,
        {
            "id": partner_id,
            "scope": scope,
            "contract": contract_id,
            "expected": expected,
            "revision": revision,
            "now": now,
            "stamp": stamp,
        },
    )
    row = await cursor.fetchone()
    return Moved(row[0], None if row[1] is None else Versioned(*row[1:])) if row else None

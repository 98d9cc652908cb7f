"""SQL of lifting blocks."""

from datetime import datetime
from uuid import UUID

from tonnage.blocks.lists import PRESENT, VISIBLE, present_params
from tonnage.db import Connection


async def lift_block(
    conn: Connection, scope: UUID | None, operator_id: UUID, block_id: UUID, now: datetime, stamp: str
) -> bool:
    """Lifts a block: the failures that led to it no longer count. False if no such block is in force in scope.

    The entry about a block of no member belongs to the organisation `operator_id`. Of two that lift a block at once,
    one finds it.
    """
    cursor = await conn.execute(
        f"""
        with present as ({PRESENT}), found as (
            select b.id, b.kind, b.failures, m.id as member_id, m.organisation_id
            from present {VISIBLE} and b.id = %(block)s
        ), throttle as (
            delete from sign_in_throttle t using found where t.id = found.id and t.blocked_until > %(now)s
            returning t.id
        ), address as (
            -- The row stays: it says whether the member was warned in this hour.
            update sign_in_failures f set failures = 0
            from found where f.id = found.id and f.failures >= %(most)s returning f.id
        ), lifted as (
            select found.* from found where id in (select id from throttle union all select id from address)
        )
        select case when member_id is not null then
            audit(%(stamp)s, organisation_id, 'member.lift-block', member_id::text,
                  jsonb_build_object('failures', failures), null)
        else
            audit(%(stamp)s, %(operator)s, 'installation.lift-block', id::text,
                  jsonb_build_object('failures', failures), null)
        end from lifted
        """,
        {**present_params(scope, now), "block": block_id, "operator": operator_id, "stamp": stamp},
    )
    return await cursor.fetchone() is not None

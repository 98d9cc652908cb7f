"""Actions on blocks. Every attempt asks the database: so what is lifted is lifted at once, on every process."""

from datetime import datetime
from uuid import UUID

from tonnage.access.actor import Actor, Role
from tonnage.blocks import queries
from tonnage.blocks.block import no_block
from tonnage.db import Connection


async def lift_block(conn: Connection, actor: Actor, block_id: UUID, now: datetime) -> None:
    """Lifts a block of a member of the actor's organisation or of one of its partners; as the operator, any block.

    NotFound: no such block is in force.
    """
    actor.require(actor.kind, Role.ADMIN)
    if not await queries.lift_block(conn, actor.scope, actor.organisation_id, block_id, now, actor.stamp):
        raise no_block(block_id)

"""Actions on organisations."""

from datetime import datetime
from uuid import UUID

from tonnage.access.actor import Actor, Kind, Role
from tonnage.db import Connection
from tonnage.organisations import queries


async def create_distributor(
    conn: Connection, actor: Actor, name: str, now: datetime, *, distributor_id: UUID | None = None
) -> UUID:
    """Returns the id of a new distributor."""
    actor.require(Kind.OPERATOR, Role.ADMIN)
    return await queries.insert_distributor(conn, distributor_id, name, now, actor.stamp)

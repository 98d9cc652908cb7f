"""The purge of storage accounts, as a recurring job."""

from datetime import datetime

from tonnage.access.actor import Actor, Kind, Role
from tonnage.access.queries import operator_id
from tonnage.accounts.actions import purge_due
from tonnage.db import Database
from tonnage.storage.metered import MeteredPlane

PLANES = {"metered": MeteredPlane()}


async def purge(database: Database, now: datetime) -> int:
    """Purges every account whose date has come; gives their number."""
    actor = Actor(await database.run(operator_id), Kind.OPERATOR, Role.ADMIN, "job")
    return await purge_due(database, PLANES, actor, now)

"""What can be done to regions: the operator adds and removes them."""

from datetime import datetime

from psycopg.errors import CheckViolation, UniqueViolation

from tonnage.access.actor import Actor, Kind, Role
from tonnage.db import Connection, attempt, broken_constraint
from tonnage.errors import Conflict, NotFound
from tonnage.regions import queries
from tonnage.regions.region import NewRegion


async def add_region(conn: Connection, actor: Actor, region: NewRegion, now: datetime) -> None:
    """Conflict: there is a region of that name."""
    actor.require(Kind.OPERATOR, Role.ADMIN)
    try:
        async with attempt(conn):
            await queries.insert_region(conn, region, now, actor.stamp)
    except UniqueViolation as error:
        if broken_constraint(error) != "region_name":
            raise Conflict("Another region was added at the same moment; try again.") from error
        raise Conflict(f"There is a region {region.name} already; remove it first, or choose another name.") from error


async def remove_region(conn: Connection, actor: Actor, name: str) -> None:
    """Conflict: storage accounts live in it."""
    actor.require(Kind.OPERATOR, Role.ADMIN)
    try:
        async with attempt(conn):
            removed = await queries.delete_region(conn, name, actor.stamp)
    except CheckViolation as error:
        raise Conflict(f"Storage accounts live in the region {name}; delete them first.") from error
    if not removed:
        raise NotFound(f"There is no region {name}.")

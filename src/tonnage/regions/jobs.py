"""What recurs for regions."""

from tonnage.clock import Clock
from tonnage.db import Database
from tonnage.regions import actions
from tonnage.regions.planes import Planes


async def look_after(database: Database, planes: Planes, clock: Clock) -> None:
    """How each cluster is doing, for whoever asks."""
    await actions.look_after(database, planes, clock())

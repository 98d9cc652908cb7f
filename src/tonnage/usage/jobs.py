"""What recurs for usage."""

from datetime import datetime

from tonnage.db import Database
from tonnage.usage import actions


async def keep_house(database: Database, now: datetime) -> None:
    """Partitions for the months ahead; raw samples past their time go."""
    await actions.keep_house(database, now)

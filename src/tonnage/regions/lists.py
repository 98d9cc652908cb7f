"""SQL of the regions that a new account can go to."""

from typing import NamedTuple

from tonnage.db import Connection


class RegionChoice(NamedTuple):
    """A region, for a list to choose from."""

    name: str
    s3_url: str
    is_default: bool
    """Where accounts go for which none was chosen."""

    @property
    def option(self) -> tuple[str, str]:
        """Its value and text in a list."""
        return self.name, self.name


async def region_choices(conn: Connection) -> list[RegionChoice]:
    """All regions, by name. They are the same for everybody, and public."""
    cursor = await conn.execute('select name, s3_url, is_default from region order by name collate "C"')
    return [RegionChoice(*row) for row in await cursor.fetchall()]

"""SQL of the regions that can be chosen for a new account."""

from typing import NamedTuple

from tonnage.db import Connection


class RegionChoice(NamedTuple):
    """A region as an option of a select field."""

    name: str
    s3_url: str
    is_default: bool
    """The region of new accounts for which none was chosen."""

    @property
    def option(self) -> tuple[str, str]:
        """Its value and label in a select field."""
        return self.name, self.name


async def region_choices(conn: Connection) -> list[RegionChoice]:
    """All regions, by name. They are public and the same for every user."""
    cursor = await conn.execute('select name, s3_url, is_default from region order by name collate "C"')
    return [RegionChoice(*row) for row in await cursor.fetchall()]

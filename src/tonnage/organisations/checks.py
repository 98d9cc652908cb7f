"""What `tonnage doctor` recomputes of organisations."""

from tonnage.access.checks import Check, Checking, compare_name_keys
from tonnage.db import Connection


async def names(conn: Connection) -> Check:
    """Lists search and sort by the keys of names."""
    return await compare_name_keys(conn, "organisations: name keys", "select id, name, name_key from organisation")


ALL: tuple[Checking, ...] = (names,)

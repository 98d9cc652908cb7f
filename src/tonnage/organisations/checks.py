"""What `tonnage doctor` recomputes of organisations."""

from tonnage.access.checks import Check, Checking, compare_keys
from tonnage.db import Connection
from tonnage.names import name_key


async def names(conn: Connection) -> Check:
    """Lists search and sort by the keys of names."""
    return await compare_keys(conn, "organisations: name keys", "select id, name, name_key from organisation", name_key)


ALL: tuple[Checking, ...] = (names,)

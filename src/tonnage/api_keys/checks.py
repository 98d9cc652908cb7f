"""What `tonnage doctor` recomputes of API keys."""

from tonnage.access.checks import Check, Checking, compare_keys
from tonnage.db import Connection
from tonnage.names import name_key


async def descriptions(conn: Connection) -> Check:
    """The search of the audit log uses the keys of the descriptions."""
    return await compare_keys(conn, "API keys: name keys", "select id, description, name_key from api_key", name_key)


ALL: tuple[Checking, ...] = (descriptions,)

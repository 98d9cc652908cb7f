"""SQL of what contracts are called."""

from collections.abc import Collection
from uuid import UUID

from tonnage.db import Connection


async def contract_names(conn: Connection, scope: UUID | None, ids: Collection[UUID]) -> dict[str, str]:
    """The names of those contracts among `ids` that are the distributor's (None: anybody's) and have one."""
    if not ids:
        return {}
    cursor = await conn.execute(
        """
        select id::text, details from contract
        where id = any(%(ids)s::uuid[]) and details is not null
            and (%(scope)s::uuid is null or distributor_id = %(scope)s)
        """,
        {"ids": list(ids), "scope": scope},
    )
    return dict(await cursor.fetchall())

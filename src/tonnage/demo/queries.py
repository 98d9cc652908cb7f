"""SQL of the sample data: determines what a database contains."""

from uuid import UUID

from tonnage.db import Connection

_LOCK = 0x746E675F64656D6F  # "tng_demo", as the number of an advisory lock


async def lock(conn: Connection) -> None:
    """Serialises concurrent starts: the lock is held until the transaction ends."""
    await conn.execute("select pg_advisory_xact_lock(%s)", [_LOCK])


async def has_organisation(conn: Connection, organisation_id: UUID) -> bool:
    """Whether there is such an organisation, open or closed."""
    cursor = await conn.execute("select from organisation where id = %s", [organisation_id])
    return await cursor.fetchone() is not None


async def is_empty(conn: Connection) -> bool:
    """Whether the database holds no data: only the operator without members and keys, and no region."""
    cursor = await conn.execute(
        """
        select where not exists (select from organisation where kind <> 'operator')
            and not exists (select from region) and not exists (select from member) and not exists (select from api_key)
        """
    )
    return await cursor.fetchone() is not None

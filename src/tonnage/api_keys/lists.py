"""SQL of API keys as pages show them."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from tonnage.access.actor import Role
from tonnage.db import Connection


class ApiKeyRow(NamedTuple):
    """An API key without its secret."""

    id: UUID
    description: str
    role: Role
    prefix: str
    """Its first characters."""
    valid_until: datetime | None
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


async def api_keys_of(conn: Connection, organisation_id: UUID) -> list[ApiKeyRow]:
    """The keys of an organisation, newest first."""
    cursor = await conn.execute(
        """
        select k.id, k.description, k.role, k.prefix, k.valid_until, k.created_at, k.last_used_at, k.revoked_at
        from api_key k join organisation o on o.id = k.organisation_id
        where k.organisation_id = %s and o.closed_at is null
        order by k.seq desc
        """,
        [organisation_id],
    )
    return [row._replace(role=Role(row.role)) for row in (ApiKeyRow(*found) for found in await cursor.fetchall())]

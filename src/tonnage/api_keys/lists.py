"""SQL of API keys as pages show them."""

from datetime import datetime
from typing import Any, LiteralString, NamedTuple
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
    requests_per_second: int | None
    """Its own limit; None: the default of the installation."""
    created_by_id: UUID | None
    """The member who created it; None: the command line."""
    creator: str | None
    """The name or address of that member; None if it has left."""


_ROWS: LiteralString = """
    select k.id, k.description, k.role, k.prefix, k.valid_until, k.created_at, k.last_used_at, k.revoked_at,
        k.requests_per_second, k.created_by_id, coalesce(m.name, m.email)
    from api_key k join organisation o on o.id = k.organisation_id and o.closed_at is null
    left join member m on m.id = k.created_by_id and m.organisation_id = k.organisation_id"""


async def api_keys_of(conn: Connection, organisation_id: UUID) -> list[ApiKeyRow]:
    """The keys of an organisation, newest first."""
    cursor = await conn.execute(f"{_ROWS} where k.organisation_id = %s order by k.seq desc", [organisation_id])
    return [_row(found) for found in await cursor.fetchall()]


async def one_api_key(conn: Connection, organisation_id: UUID, key_id: UUID) -> ApiKeyRow | None:
    """A key of that organisation."""
    cursor = await conn.execute(f"{_ROWS} where k.id = %s and k.organisation_id = %s", [key_id, organisation_id])
    found = await cursor.fetchone()
    return _row(found) if found else None


def _row(found: tuple[Any, ...]) -> ApiKeyRow:
    row = ApiKeyRow(*found)
    return row._replace(role=Role(row.role))

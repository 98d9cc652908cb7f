"""Endpoints and their log, as pages show them."""

from datetime import datetime
from typing import LiteralString, NamedTuple
from uuid import UUID

from tonnage.db import Connection


class EndpointRow(NamedTuple):
    """An endpoint."""

    id: UUID
    url: str
    description: str | None
    types: list[str] | None
    """None: all that the organisation can see."""
    created_at: datetime
    disabled_at: datetime | None
    disabled_reason: str | None
    failing_since: datetime | None
    public_key: str
    revision: int


class SecretRow(NamedTuple):
    """A secret, without itself."""

    id: UUID
    created_at: datetime


class DeliveryRow(NamedTuple):
    """An event on its way to an endpoint."""

    id: int
    event_id: UUID
    type: str
    created_at: datetime
    due_at: datetime | None
    attempts: int
    attempted_at: datetime | None
    milliseconds: int | None
    status: int | None
    detail: str | None
    delivered_at: datetime | None

    @property
    def state(self) -> str:
        """`delivered`, `pending` or `failed`."""
        return "delivered" if self.delivered_at else "pending" if self.due_at else "failed"


_ENDPOINT: LiteralString = """w.id, w.url, w.description, w.types, w.created_at, w.disabled_at, w.disabled_reason,
    w.failing_since, w.public_key, w.revision"""


async def endpoint_rows(conn: Connection, scope: UUID) -> list[EndpointRow]:
    """Those of an organisation, in order of creation: at most ten."""
    cursor = await conn.execute(
        f"select {_ENDPOINT} from webhook_endpoint w where w.organisation_id = %s order by w.seq", [scope]
    )
    return [EndpointRow(*row) for row in await cursor.fetchall()]


async def endpoint_row(conn: Connection, scope: UUID, endpoint_id: UUID) -> EndpointRow | None:
    """None: the organisation has no such endpoint."""
    cursor = await conn.execute(
        f"select {_ENDPOINT} from webhook_endpoint w where w.id = %s and w.organisation_id = %s", [endpoint_id, scope]
    )
    row = await cursor.fetchone()
    return EndpointRow(*row) if row else None


async def secret_rows(conn: Connection, endpoint_id: UUID) -> list[SecretRow]:
    """The newest first."""
    cursor = await conn.execute(
        "select id, created_at from webhook_secret where endpoint_id = %s order by created_at desc, id", [endpoint_id]
    )
    return [SecretRow(*row) for row in await cursor.fetchall()]


async def delivery_rows(conn: Connection, endpoint_id: UUID, before: int | None, most: int) -> list[DeliveryRow]:
    """The newest first, of those before one."""
    cursor = await conn.execute(
        """
        select id, event_id, type, created_at, due_at, attempts, attempted_at, milliseconds, status, detail,
            delivered_at
        from webhook_delivery where endpoint_id = %(endpoint)s and (%(before)s::bigint is null or id < %(before)s)
        order by id desc limit %(most)s
        """,
        {"endpoint": endpoint_id, "before": before, "most": most},
    )
    return [DeliveryRow(*row) for row in await cursor.fetchall()]

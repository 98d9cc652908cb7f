"""SQL of the responses that are kept for an Idempotency-Key. The SQL function `save_response` inserts them."""

from datetime import datetime
from uuid import UUID

from tonnage.access.actor import Actor
from tonnage.db import Connection
from tonnage.idempotency.idempotency_key import RETENTION, SavedResponse


async def reserve_response(conn: Connection, actor: Actor, seconds: float) -> None:
    """Records that the request, if it has a key, waits for a cluster; after `seconds` another one may start anew.

    Unique violation idempotency_key_used: another request with the key did not wait that long, or is done.
    """
    if actor.request is not None:
        await conn.execute("select save_response(%s::jsonb, null, null, null, %s::integer)", [actor.stamp, seconds])


async def save_empty_response(conn: Connection, actor: Actor) -> None:
    """Records the response of a request that has a key, and whose response has no body."""
    if actor.request is not None:
        await conn.execute("select save_response(%s::jsonb, null)", [actor.stamp])


async def discard_response(conn: Connection, actor: Actor) -> None:
    """Discards what this very request has recorded, if it has a key."""
    if actor.request is not None:
        await conn.execute(
            "delete from idempotency_key where organisation_id = %s and key = %s and attempt = %s",
            [actor.organisation_id, actor.request.key, actor.request.attempt],
        )


async def find_response(conn: Connection, organisation_id: UUID, key: str, now: datetime) -> SavedResponse | None:
    """What an organisation's request with that key has recorded within the last 24 hours."""
    cursor = await conn.execute(
        """
        select attempt, request_digest, status, convert_to(response, 'UTF8'), revision, sealed_secret, pending_until
        from idempotency_key where organisation_id = %s and key = %s and created_at > %s
        """,
        [organisation_id, key, now - RETENTION],
    )
    row = await cursor.fetchone()
    return SavedResponse(*row) if row else None


async def delete_expired(conn: Connection, now: datetime, most: int) -> int:
    """Deletes responses that are older than 24 hours, `most` at a time; returns their number."""
    cursor = await conn.execute(
        """
        delete from idempotency_key where (organisation_id, key) in (
            select organisation_id, key from idempotency_key where created_at <= %s
            order by created_at limit %s for update skip locked)
        """,
        [now - RETENTION, most],
    )
    return cursor.rowcount

"""A webhook with two secrets and a delivery, without a server behind it."""

from typing import NamedTuple
from uuid import UUID

from tests.cast import Cast
from tonnage.access.actor import Actor


class InsertedWebhook(NamedTuple):
    id: UUID
    secret: UUID
    """The older one."""
    delivery: int


async def insert_webhook(cast: Cast, owner: Actor) -> InsertedWebhook:
    row = await cast.row(
        """
        with w as (
            insert into webhook_endpoint (organisation_id, url, created_at, public_key)
            values (%s, 'https://example.com/hooks', '2026-01-01', 'whpk_') returning id
        ), s as (
            insert into webhook_secret (endpoint_id, created_at)
            select id, '2026-01-01'::timestamptz + n * interval '1 second' from w, generate_series(0, 1) n
            returning id, created_at
        ), d as (
            insert into webhook_delivery (endpoint_id, event_id, type, created_at, attempts, attempted_at)
            select id, gen_random_uuid(), 'key.created', '2026-01-01', 10, '2026-01-01' from w returning id
        )
        select w.id, (select id from s order by created_at limit 1), d.id from w, d
        """,
        owner.organisation_id,
    )
    return InsertedWebhook(*row)

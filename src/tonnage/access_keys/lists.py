"""SQL of lists of access keys."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from tonnage.access_keys.queries import KEY_FIELDS
from tonnage.accounts.queries import LIVING
from tonnage.db import Connection, ListQuery


class AccessKeyRow(NamedTuple):
    """An access key, without its secret."""

    access_key: str
    description: str | None
    created_at: datetime
    is_deleting: bool
    """It is being deleted, and works until it is deleted on the cluster."""
    is_made_here: bool
    """Otherwise it was found on the cluster, at `created_at`."""


async def access_keys_of(conn: Connection, scope: UUID, partner_id: UUID, account_id: int) -> list[AccessKeyRow]:
    """In order of creation, without pending keys: nobody has their secret."""
    cursor = await conn.execute(
        f"""
        with s as (select s.id from {LIVING})
        select k.access_key, k.description, k.created_at, k.state = 'deleting', k.origin = 'created'
        from s join access_key k on k.account_id = s.id and k.state <> 'pending'
        order by k.seq
        """,
        {"id": account_id, "partner": partner_id, "scope": scope},
    )
    return [AccessKeyRow(*row) for row in await cursor.fetchall()]


def access_keys(scope: UUID, partner_id: UUID, account_id: int) -> ListQuery:
    """The keys of an account that is not purged, without pending ones: nobody has their secret."""
    return ListQuery(
        f"""
        with s as (select s.id from {LIVING})
        select coalesce(k.seq, 0), case when k.seq is not null then json_strip_nulls(json_build_object(
            {KEY_FIELDS}, 'status', case k.state when 'active' then 'active' else 'deleting' end,
            'madeHere', case when k.origin <> 'created' then false end)) end
        from s left join access_key k
            on k.account_id = s.id and k.state <> 'pending' and (%(after)s::bigint is null or k.seq > %(after)s)
        order by k.seq limit %(limit)s
        """,
        {"id": account_id, "partner": partner_id, "scope": scope},
    )

"""SQL of one storage account, as its page shows it."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from tonnage.accounts.queries import LIVING
from tonnage.accounts.view_queries import PROVISIONING, REFUSAL
from tonnage.db import Connection


class AccountFacts(NamedTuple):
    """A living account. Capacities in bytes."""

    id: int
    name: str
    contact_email: str
    partner_id: UUID
    partner: str
    region: str
    s3_url: str
    iam_url: str
    sts_url: str
    allocated: int
    """0: pay-per-use."""
    overdraft: bool
    used: int
    objects: int | None
    """None: never counted."""
    measured_at: datetime | None
    created_at: datetime
    deletion_requested_at: datetime | None
    pending_deleted_at: datetime | None
    is_being_purged: bool
    """From then on it cannot be restored."""
    suspended_at: datetime | None
    suspension_reason: str | None
    provisioning: str
    """`metered` (there is no cluster to tell), `pending`, `refused` or `done`."""
    refusal: str | None
    """Why its cluster refuses it."""
    access_keys: int


async def account_facts(conn: Connection, scope: UUID, partner_id: UUID, account_id: int) -> AccountFacts | None:
    """`scope` is the partner or its distributor; the operator asks with the partner's own id."""
    cursor = await conn.execute(
        f"""
        with s as (select s.* from {LIVING})
        select s.id, s.name, s.contact_email, s.partner_id, o.name, r.name, r.s3_url, r.iam_url, r.sts_url,
            s.allocated_capacity, s.allow_overdraft, s.used, s.objects, s.measured_at, s.created_at,
            s.deletion_requested_at, s.pending_deleted_at, s.purge_started_at is not null,
            s.suspended_at, s.suspension_reason, {PROVISIONING}, {REFUSAL},
            (select count(*) from access_key where account_id = s.id and state = 'live')
        from s join region r on r.id = s.region_id join organisation o on o.id = s.partner_id
        """,
        {"id": account_id, "partner": partner_id, "scope": scope},
    )
    row = await cursor.fetchone()
    return AccountFacts(*row) if row else None


class KeyRow(NamedTuple):
    """An access key, without its secret."""

    access_key: str
    description: str | None
    created_at: datetime
    is_ending: bool
    """It is being deleted, and works until its cluster has heard of that."""


async def account_keys(conn: Connection, scope: UUID, partner_id: UUID, account_id: int) -> list[KeyRow]:
    """In order of creation, without those that are being made: nobody has their secret."""
    cursor = await conn.execute(
        f"""
        with s as (select s.id from {LIVING})
        select k.access_key, k.description, k.created_at, k.state = 'ending'
        from s join access_key k on k.account_id = s.id and k.state <> 'making'
        order by k.seq
        """,
        {"id": account_id, "partner": partner_id, "scope": scope},
    )
    return [KeyRow(*row) for row in await cursor.fetchall()]

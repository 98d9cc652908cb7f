"""SQL of the sample data: determines what a database contains."""

from datetime import date, datetime
from uuid import UUID

from tonnage.db import Connection, one_row

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


async def is_frozen(conn: Connection, seller_id: UUID, first: date) -> bool:
    """Whether the seller's month that begins on `first` is."""
    cursor = await conn.execute(
        "select from month_close where seller_id = %s and month = %s and frozen", [seller_id, first]
    )
    return await cursor.fetchone() is not None


async def unpaid(conn: Connection, seller_id: UUID, last: date, late_partner: UUID) -> list[tuple[UUID, str, date]]:
    """The id, number and due day of statements through the month that begins on `last`, without that of a partner which
    is late with it."""
    cursor = await conn.execute(
        """
        select id, number, due_on from statement
        where seller_id = %s and number is not null and paid_on is null and due_on is not null and month <= %s
            and (month, partner_id) is distinct from (%s, %s) order by seq
        """,
        [seller_id, last, last, late_partner],
    )
    return await cursor.fetchall()


async def has_adjusted(conn: Connection, seller_id: UUID) -> bool:
    """Whether the seller has made an adjustment."""
    cursor = await conn.execute(
        "select from adjustment where seller_id = %s and reason is not null limit 1", [seller_id]
    )
    return await cursor.fetchone() is not None


async def account_of(conn: Connection, partner_id: UUID) -> int:
    """The number of the only account of a partner."""
    return (await one_row(await conn.execute("select id from storage_account where partner_id = %s", [partner_id])))[0]


async def created_at(conn: Connection, organisation_id: UUID) -> datetime:
    """When the organisation, which exists, was created."""
    return (await one_row(await conn.execute("select created_at from organisation where id = %s", [organisation_id])))[
        0
    ]

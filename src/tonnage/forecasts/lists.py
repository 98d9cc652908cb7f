"""Lists of what will be full."""

from datetime import date
from typing import NamedTuple
from uuid import UUID

from tonnage.alerts.alert_level import AlertSubject
from tonnage.db import Connection


class FullSoon(NamedTuple):
    """Something that will be full. Capacity in bytes."""

    subject: AlertSubject
    id: str
    name: str | None
    """None: a contract without one."""
    organisation_id: UUID
    organisation: str
    capacity: int
    earliest: date
    likely: date
    latest: date | None
    """None: it may last for more than a year."""


async def full_soonest(conn: Connection, seller_id: UUID, most: int) -> list[FullSoon]:
    """Of what an organisation has given a capacity, that which is full soonest: of a partner its accounts, of a
    distributor its partners, of the operator its contracts. Read from an index, however many there are."""
    cursor = await conn.execute(
        """
        select f.subject, coalesce(f.account_id::text, f.partner_id::text, f.contract_id::text),
            coalesce(s.name, k.details, case when f.partner_id is not null then o.name end),
            o.id, o.name, f.capacity, f.earliest, f.likely, f.latest
        from (
            select f.*, case when f.account_id is not null then 'account'
                when f.partner_id is not null then 'partner' else 'contract' end as subject
            from forecast f
            where f.seller_id = %(seller)s and f.likely is not null and (
                exists (select from storage_account s where s.id = f.account_id and s.purged_at is null
                    and s.allocated_capacity = f.capacity)
                or exists (select from partner p where p.id = f.partner_id and p.closed_at is null
                    and p.allocated_capacity = f.capacity)
                or exists (select from contract k where k.id = f.contract_id and k.closed_at is null
                    and k.reserved_capacity = f.capacity))
            order by f.likely limit %(most)s
        ) f
        join organisation o on o.id = f.organisation_id
        left join storage_account s on s.id = f.account_id
        left join contract k on k.id = f.contract_id
        order by f.likely, f.earliest, 2
        """,
        {"seller": seller_id, "most": most},
    )
    return [FullSoon(AlertSubject(row[0]), *row[1:]) for row in await cursor.fetchall()]

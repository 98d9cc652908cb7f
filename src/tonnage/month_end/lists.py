"""SQL of what was sold and bought in a month."""

from datetime import date, datetime
from typing import LiteralString
from uuid import UUID

from tonnage.billing.month import last_day_of
from tonnage.db import Connection
from tonnage.month_end.freezing import BlockedBuyer, BlockedGroup, MonthSum, SellerMonth
from tonnage.month_end.freezing_queries import blocked_buyers, progress_of
from tonnage.numbering.queries import gaps_of
from tonnage.numbering.series import NotedGap
from tonnage.statements.adjustment_lists import correction_sums
from tonnage.statements.frozen_queries import BOUGHT, SOLD
from tonnage.utc import midnight, month_after


async def month_of(conn: Connection, viewer: UUID, first: date, today: date, at: datetime) -> SellerMonth:
    """What an organisation has sold and bought in the month that begins on `first`. `at`: the present, of which freezes
    that go on are."""
    sold, bought = await month_sums(conn, viewer, first)
    blocked = await blocked_buyers(conn, viewer, first)
    gaps = await gaps_after(conn, viewer, first)
    progress = await progress_of(conn, viewer, first, at)
    adjustments = await correction_sums(conn, viewer, first)
    return SellerMonth(first, last_day_of(first) < today, sold, bought, blocked, gaps, progress, adjustments)


async def gaps_after(conn: Connection, viewer: UUID, first: date) -> list[NotedGap]:
    """Missing numbers of the month after the one that begins on `first`: those that its statements would have."""
    following = month_after(first)
    return await gaps_of(conn, viewer, midnight(following), midnight(month_after(following)))


async def month_sums(conn: Connection, viewer: UUID, first: date) -> tuple[list[MonthSum], list[MonthSum]]:
    """The sums of what was sold, and of what was bought, by currency."""
    sums: dict[bool, list[MonthSum]] = {True: [], False: []}
    columns: LiteralString = "s.currency, s.net, s.gross, s.paid_on, s.credits, s.credited"
    cursor = await conn.execute(
        f"""
        select is_sold, currency, count(*) filter (where credits is null), sum(net), sum(gross),
            coalesce(sum(gross) filter (where paid_on is not null), 0 * sum(gross)),
            coalesce(sum(gross - credited) filter (where paid_on is null and credits is null), 0 * sum(gross))
        from (
            select true as is_sold, {columns} from statement s
            where {SOLD} and s.month = %(month)s and s.number is not null and s.voided_at is null
            union all
            select false, {columns} from statement s
            where {BOUGHT} and s.month = %(month)s and s.number is not null and s.voided_at is null
        ) found
        group by is_sold, currency order by currency collate "C"
        """,
        {"viewer": viewer, "month": first},
    )
    for is_sold, *found in await cursor.fetchall():
        sums[is_sold].append(MonthSum(*found))
    return sums[True], sums[False]


async def blocked_by_reason(conn: Connection, seller_id: UUID, first: date, most: int) -> list[BlockedGroup]:
    """The buyers whose statements the last freeze could not freeze: of each reason their number, and the first ones."""
    cursor = await conn.execute(
        """
        select g.blocked, g.n, s.document ->> 'buyerName', s.contract_id, s.partner_id, s.account_id, k.distributor_id
        from (
            select blocked, count(*) as n from statement
            where seller_id = %(seller)s and month = %(month)s and blocked is not null group by blocked
        ) g
        cross join lateral (
            select * from statement s where s.seller_id = %(seller)s and s.month = %(month)s and s.blocked = g.blocked
            order by s.buyer_key, s.id limit %(most)s
        ) s
        left join contract k on k.id = s.contract_id
        order by g.n desc, g.blocked collate "C", s.buyer_key, s.id
        """,
        {"seller": seller_id, "month": first, "most": most},
    )
    found: dict[str, BlockedGroup] = {}
    for reason, count, name, contract, partner, account, distributor in await cursor.fetchall():
        group = found.setdefault(reason, BlockedGroup(reason, count, []))
        group.buyers.append(BlockedBuyer(name, contract or partner or account, distributor or partner))
    return list(found.values())

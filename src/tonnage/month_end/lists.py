"""SQL of what was sold and bought in a month."""

from datetime import date
from uuid import UUID

from tonnage.billing.month import last_day_of
from tonnage.db import Connection
from tonnage.month_end.freezing import MonthSum, SellerMonth
from tonnage.month_end.freezing_queries import blocked_buyers
from tonnage.statements.frozen_queries import BOUGHT, SOLD


async def month_of(conn: Connection, viewer: UUID, first: date, today: date) -> SellerMonth:
    """What an organisation has sold and bought in the month that begins on `first`."""
    sums: dict[bool, list[MonthSum]] = {True: [], False: []}
    cursor = await conn.execute(
        f"""
        select s.seller_id = %(viewer)s, s.currency, count(*), sum(s.net), sum(s.gross),
            coalesce(sum(s.gross) filter (where s.paid_on is not null), 0 * sum(s.gross))
        from statement s
        where ({SOLD} or {BOUGHT}) and s.month = %(month)s and s.number is not null
        group by s.seller_id = %(viewer)s, s.currency order by s.currency collate "C"
        """,
        {"viewer": viewer, "month": first},
    )
    for is_sold, *found in await cursor.fetchall():
        sums[is_sold].append(MonthSum(*found))
    blocked = await blocked_buyers(conn, viewer, first)
    return SellerMonth(first, last_day_of(first) < today, sums[True], sums[False], blocked)

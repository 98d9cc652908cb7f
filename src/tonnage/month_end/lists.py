"""SQL of what was sold and bought in a month."""

from datetime import date
from uuid import UUID

from tonnage.db import Connection
from tonnage.errors import NotFound
from tonnage.month_end.computed import last_day
from tonnage.month_end.freezing import SellerMonth, Sum
from tonnage.month_end.freezing_queries import blocked_buyers
from tonnage.statements.lists import BOUGHT, SOLD


async def month_of(conn: Connection, viewer: UUID, first: date, today: date) -> SellerMonth:
    """What an organisation has sold and bought in the month that begins on `first`. NotFound: it has not begun."""
    if today < first:
        raise NotFound("The month {month} has not begun.", month=f"{first:%Y-%m}")
    sums: dict[bool, list[Sum]] = {True: [], False: []}
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
        sums[is_sold].append(Sum(*found))
    blocked = await blocked_buyers(conn, viewer, first)
    return SellerMonth(first, last_day(first) < today, sums[True], sums[False], blocked)

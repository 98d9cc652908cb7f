"""SQL of the partners whose use has changed most, for the operator's overview."""

from datetime import date, timedelta

from tonnage.db import Connection, one_row
from tonnage.usage.top_movers import COMPARED_DAYS, FEW_PARTNERS, MOST_SHOWN, TopMover


async def top_movers(conn: Connection, today: date) -> list[TopMover]:
    """The MOST_SHOWN partners whose last known use differs most from that of the day COMPARED_DAYS ago; the largest
    change first, up or down. For the operator.

    An account without a sample since that day has no change: its value is carried forward. Takes half a second for
    120,000 partners with two months of use, so the page of such an operator loads it in a second request.
    """
    cursor = await conn.execute(
        """
        with changed as (
            select p.id, p.seq, p.distributor_id, p.used as now, coalesce(u.usage, 0) + coalesce(c.usage, 0) as before
            from partner p
            left join partner_usage u on u.partner_id = p.id and u.day = %(then)s
            left join (
                select partner_id, sum(used) as usage from storage_account
                where rolled_up_to < %(then)s and purged_at is null and used > 0 group by partner_id
            ) c on c.partner_id = p.id
            where p.closed_at is null
        ), most as (
            select * from changed where now <> before order by abs(now - before)::float8 desc, seq limit %(limit)s
        )
        select m.id, o.name, d.name, m.before, m.now
        from most m join organisation o on o.id = m.id join organisation d on d.id = m.distributor_id
        order by abs(m.now - m.before) desc, m.seq
        """,
        {"then": today - timedelta(days=COMPARED_DAYS), "limit": MOST_SHOWN},
    )
    return [TopMover(*row) for row in await cursor.fetchall()]


async def has_few_partners(conn: Connection) -> bool:
    """Whether there are at most FEW_PARTNERS partners. Stops counting there."""
    cursor = await conn.execute(
        "select count(*) from (select from partner where closed_at is null limit %s) p", [FEW_PARTNERS + 1]
    )
    return (await one_row(cursor))[0] <= FEW_PARTNERS

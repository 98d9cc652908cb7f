"""Consistency checks of `tonnage doctor`: traffic."""

from tonnage.access.checks import Check, Checking, compare
from tonnage.db import Connection


async def traffic(conn: Connection) -> Check:
    """A day whose hours are still kept is their sum. Checks a random subset of many accounts, as for samples."""
    return await compare(
        conn,
        "daily traffic: days with hourly values, up to 10000 accounts",
        """
        select s.id || ' ' || m.day, (
                select (d.sent, d.received, d.requests) from daily_traffic d where d.account_id = s.id and d.day = m.day
            ), m.recomputed
        from (select id from storage_account order by random() limit 10000) s
        cross join lateral (
            select h.hour::date as day, (sum(h.sent), sum(h.received), sum(h.requests)) as recomputed
            from traffic_hour h where h.account_id = s.id group by 1 offset 0
        ) m
        """,
    )


ALL: tuple[Checking, ...] = (traffic,)

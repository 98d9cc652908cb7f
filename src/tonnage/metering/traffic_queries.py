"""SQL of traffic: hourly counters as read from a region's cluster, and the daily roll-up.

An hour is a counter that grows during its hour, and restarts from zero after a trim: of two readings the greater one is
right.
"""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from tonnage.db import Connection
from tonnage.storage.backend import ClusterUser, Traffic
from tonnage.usage.period import Period
from tonnage.usage.queries import REPORTED_ACCOUNT

_ROWS_AT_ONCE = 1000


async def read_to(conn: Connection, region_id: int) -> datetime | None:
    """The hour, excluded, up to which the log of a region has been read."""
    row = await (await conn.execute("select traffic_read_to from region where id = %s", [region_id])).fetchone()
    return row[0] if row else None


async def adopted_users(conn: Connection, region_id: int) -> dict[str, int]:
    """The accounts of a region that are adopted users, by the users' ids."""
    cursor = await conn.execute(
        """
        select cluster_user, id from storage_account
        where region_id = %s and cluster_user is not null and purged_at is null
        """,
        [region_id],
    )
    return dict(await cursor.fetchall())


async def stage(conn: Connection, rows: Sequence[Traffic]) -> None:
    """Stages traffic in the temporary table traffic_staged."""
    await conn.execute(
        "create temp table if not exists traffic_staged (account_id bigint not null, hour timestamptz not null,"
        " sent bigint not null, received bigint not null, requests bigint not null) on commit delete rows"
    )
    await conn.execute("delete from traffic_staged")
    async with conn.cursor() as cursor, cursor.copy("copy traffic_staged from stdin") as copy:
        for first in range(0, len(rows), _ROWS_AT_ONCE):
            await copy.write("".join(map(_copied, rows[first : first + _ROWS_AT_ONCE])))
    # The planner has no statistics of a table that was filled a moment ago.
    await conn.execute("analyze traffic_staged")


def _copied(row: Traffic) -> str:
    return f"{row.account_id}\t{row.hour.isoformat()}\t{row.sent}\t{row.received}\t{row.requests}\n"


async def make_partitions(conn: Connection, first_open: date) -> None:
    """Creates the partitions of the staged hours. Before any row is locked, since it waits for others that create
    some."""
    await conn.execute(
        """
        select ensure_day_partitions('traffic_hour', array_agg(distinct hour::date)) from traffic_staged
        where hour >= %s having count(*) > 0
        """,
        [first_open],
        prepare=False,
    )


async def record_read(conn: Connection, region_id: int, until: datetime) -> None:
    """Records that the log has been read up to that hour. The row stays locked until the transaction ends, so that no
    other transaction rolls up the region's days."""
    await conn.execute(
        "update region set traffic_read_to = greatest(traffic_read_to, %s) where id = %s", [until, region_id]
    )


async def store(conn: Connection, region_id: int, first_open: date) -> None:
    """Raises the hours to the staged values, and puts the days of changed hours into the temporary table
    traffic_touched.

    Rows of users that are no accounts of the region are ignored, and hours of closed days: other hours of such a day
    are deleted, and its sum must not be built from the rest.
    """
    await conn.execute(
        "create temp table if not exists traffic_touched"
        " (account_id bigint not null, day date not null) on commit delete rows"
    )
    await conn.execute("delete from traffic_touched")
    await conn.execute(
        """
        with changed as (
            insert into traffic_hour as h (account_id, hour, sent, received, requests)
            select g.account_id, g.hour, g.sent, g.received, g.requests
            from traffic_staged g join storage_account s on s.id = g.account_id
            where s.region_id = %(region)s and g.hour >= %(open)s
            order by g.account_id, g.hour
            on conflict (account_id, hour) do update set sent = greatest(h.sent, excluded.sent),
                received = greatest(h.received, excluded.received), requests = greatest(h.requests, excluded.requests)
                where h.sent < excluded.sent or h.received < excluded.received or h.requests < excluded.requests
            returning h.account_id, h.hour
        )
        insert into traffic_touched select distinct account_id, hour::date from changed
        """,
        {"region": region_id, "open": first_open},
        prepare=False,
    )
    await conn.execute("analyze traffic_touched")


async def add_up_days(conn: Connection) -> None:
    """Sets the touched days to the sums of their hours. All hours of these are still there: closed days are
    not touched."""
    await conn.execute(
        """
        insert into daily_traffic (account_id, day, sent, received, requests)
        select t.account_id, t.day, sum(h.sent), sum(h.received), sum(h.requests)
        from traffic_touched t
        join traffic_hour h on h.account_id = t.account_id and h.hour >= t.day and h.hour < t.day + 1
        group by t.account_id, t.day order by t.account_id, t.day
        on conflict (account_id, day) do update
            set sent = excluded.sent, received = excluded.received, requests = excluded.requests
        """,
        prepare=False,
    )


async def trimmed_to(conn: Connection, region_id: int) -> date | None:
    """The day, excluded, up to which the log of a region has been trimmed."""
    row = await (await conn.execute("select traffic_trimmed_to from region where id = %s", [region_id])).fetchone()
    return row[0] if row else None


async def active(
    conn: Connection, region_id: int, first: date | None, until: date, after: int, limit: int
) -> list[ClusterUser]:
    """The next accounts of a region after the id `after` that had traffic from the day `first` (None: ever) to before
    the day `until`. Includes purged ones, since the log outlives them.
    """
    cursor = await conn.execute(
        """
        select s.id, s.cluster_user from storage_account s
        where s.region_id = %(region)s and s.id > %(after)s and exists (
            select from daily_traffic d
            where d.account_id = s.id and d.day >= coalesce(%(first)s::date, '-infinity') and d.day < %(until)s
            offset 0)
        order by s.id limit %(limit)s
        """,
        {"region": region_id, "first": first, "until": until, "after": after, "limit": limit},
    )
    return [ClusterUser(*row) for row in await cursor.fetchall()]


async def record_trimmed(conn: Connection, region_id: int, until: date) -> None:
    """Records that the log has been trimmed up to that day."""
    await conn.execute("update region set traffic_trimmed_to = %s where id = %s", [until, region_id])


async def traffic_of_account(
    conn: Connection, scope: UUID, partner_id: UUID, account_id: int, period: Period
) -> bytes | None:
    """The days of the period with traffic, as an api.ClientTraffic; None where a usage report would have no such
    account.
    """
    cursor = await conn.execute(
        f"""
        select json_build_object('client_id', s.id::text, 'name', s.name, 'daily_traffic', coalesce((
            select json_agg(json_build_object(
                'date', d.day, 'egress', d.sent, 'ingress', d.received, 'requests', d.requests) order by d.day)
            from daily_traffic d where d.account_id = s.id and d.day between %(first)s and %(last)s), '[]'))
        from {REPORTED_ACCOUNT}
        """,
        {
            "scope": scope,
            "partner": partner_id,
            "account": account_id,
            "first": period.first,
            "last": period.last,
        },
    )
    row = await cursor.fetchone()
    return row[0] if row else None

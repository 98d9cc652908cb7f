"""SQL of sweeps: what was found on a region's cluster."""

from collections.abc import Sequence
from datetime import datetime
from typing import LiteralString

from tonnage.accounts.sweep import Finding
from tonnage.db import Connection


async def begin(conn: Connection, region_id: int, now: datetime) -> None:
    """A sweep of the region starts; one that broke off is forgotten."""
    await conn.execute(
        """
        insert into sweep (region_id, started_at) values (%(region)s, %(now)s)
        on conflict (region_id) do update set started_at = %(now)s, finished_at = null, checked = 0
        """,
        {"region": region_id, "now": now},
    )


async def finish(
    conn: Connection, region_id: int, checked: int, repaired: int, left: Sequence[Finding], now: datetime
) -> None:
    """Its numbers, and what it has left to the operator, in place of what the one before had."""
    await conn.execute(
        """
        with done as (
            update sweep set finished_at = %(now)s, checked = %(checked)s, repaired = repaired + %(repaired)s
            where region_id = %(region)s
            returning region_id
        ), found as (
            select * from unnest(%(subjects)s::text[], %(whats)s::text[]) as f (subject, what)
        ), gone as (
            delete from drift d using done
            where d.region_id = done.region_id and d.subject not in (select subject from found)
        )
        insert into drift (region_id, subject, what, found_at)
        select done.region_id, found.subject, found.what, %(now)s from done, found
        on conflict (region_id, subject) do update set what = excluded.what
        """,
        {
            "region": region_id,
            "checked": checked,
            "repaired": repaired,
            "subjects": [one.subject for one in left],
            "whats": [one.what for one in left],
            "now": now,
        },
    )


async def strangers(conn: Connection, region_id: int, account_ids: Sequence[int]) -> tuple[list[int], list[int]]:
    """Those of the accounts on a region's cluster that are unknown there, and those that were purged.

    One whose purge is under way may still be there.
    """
    cursor = await conn.execute(
        """
        select c.id, s.purged_at is not null and s.region_id = %(region)s
        from unnest(%(ids)s::bigint[]) as c (id) left join storage_account s on s.id = c.id
        where s.id is null or s.purged_at is not null or s.region_id <> %(region)s
        order by c.id
        """,
        {"ids": list(account_ids), "region": region_id},
    )
    rows = await cursor.fetchall()
    return [account_id for account_id, purged in rows if not purged], [one for one, purged in rows if purged]


async def told(conn: Connection, region_id: int) -> int:
    """How many accounts of a region should be on its cluster and were brought there at some time."""
    cursor = await conn.execute(f"select count(*) from storage_account s where {_TOLD}", {"region": region_id})
    row = await cursor.fetchone()
    return row[0] if row else 0


async def told_among(conn: Connection, region_id: int, account_ids: Sequence[int]) -> int:
    """How many of these are among them."""
    cursor = await conn.execute(
        f"select count(*) from storage_account s where {_TOLD} and s.id = any(%(ids)s)",
        {"region": region_id, "ids": list(account_ids)},
    )
    row = await cursor.fetchone()
    return row[0] if row else 0


_TOLD: LiteralString = (
    "s.region_id = %(region)s and s.applied_revision > 0 and s.purged_at is null and s.purge_started_at is null"
)

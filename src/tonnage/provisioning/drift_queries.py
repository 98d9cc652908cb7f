"""SQL of drift detection: the results of full reconciles."""

from collections.abc import Sequence
from datetime import datetime
from typing import LiteralString, NamedTuple

from tonnage.db import Connection, ListQuery, one_row
from tonnage.db.rendered import TIMESTAMP_FORMAT
from tonnage.provisioning.drift import Drift
from tonnage.regions.region import METERED
from tonnage.storage.backend import ListedUser


async def save_result(
    conn: Connection, region_id: int, checked: int, repaired: int, left: Sequence[Drift], now: datetime
) -> None:
    """Saves the numbers of a full reconcile and its drift left to the operator, in place of the previous one's."""
    await conn.execute(
        """
        with done as (
            insert into full_reconcile (region_id, finished_at, checked, repaired)
            values (%(region)s, %(now)s, %(checked)s, %(repaired)s)
            on conflict (region_id) do update set finished_at = excluded.finished_at, checked = excluded.checked,
                repaired = full_reconcile.repaired + excluded.repaired
            returning region_id
        ), found as (
            select * from unnest(%(subjects)s::text[], %(descriptions)s::text[]) as f (subject, description)
        ), gone as (
            delete from drift d using done
            where d.region_id = done.region_id and d.subject not in (select subject from found)
        )
        insert into drift (region_id, subject, description, found_at)
        select done.region_id, found.subject, found.description, %(now)s from done, found
        on conflict (region_id, subject) do update set description = excluded.description
        """,
        {
            "region": region_id,
            "checked": checked,
            "repaired": repaired,
            "subjects": [one.subject for one in left],
            "descriptions": [one.description for one in left],
            "now": now,
        },
    )


async def remove_drift(conn: Connection, subject: str) -> None:
    """Removes drift that was decided."""
    await conn.execute("delete from drift where subject = %s", [subject])


async def region_of(conn: Connection, account_id: int) -> int:
    """The region of an account that is not purged."""
    return (await one_row(await conn.execute("select region_id from storage_account where id = %s", [account_id])))[0]


def recorded_drift(region: str | None = None) -> ListQuery:
    """The unresolved drift of every region, or of one, as of its last full reconcile: the difference, when first found,
    when compared."""
    return ListQuery(
        f"""
        select d.number, json_build_object('region', d.name, 'subject', d.subject, 'description', d.description,
            'foundAt', to_char(d.found_at, {TIMESTAMP_FORMAT}),
            'comparedAt', to_char(d.finished_at, {TIMESTAMP_FORMAT}))
        from (
            select d.*, r.name, s.finished_at,
                row_number() over (order by r.id, d.found_at, d.subject collate "C") as number
            from drift d join region r on r.id = d.region_id join full_reconcile s on s.region_id = d.region_id
            where %(region)s::text is null or r.name = %(region)s
        ) d
        where %(after)s::bigint is null or d.number > %(after)s
        order by d.number limit %(limit)s
        """,
        {"region": region},
    )


class UnknownAccounts(NamedTuple):
    """Accounts on a region's cluster that should not be there."""

    unknown: list[int]
    purged: list[int]
    elsewhere: list[int]
    """Accounts of another region; two regions may share a cluster by mistake."""


async def unknown_accounts(conn: Connection, region_id: int, account_ids: Sequence[int]) -> UnknownAccounts:
    """Those of the given accounts that should not be on the region's cluster. Accounts whose purge is under way are
    left out."""
    cursor = await conn.execute(
        """
        select c.id, s.id is null, s.region_id is distinct from %(region)s
        from unnest(%(ids)s::bigint[]) as c (id)
        left join storage_account s on s.id = c.id and s.cluster_user is null
        where s.id is null or s.purged_at is not null or s.region_id <> %(region)s
        order by c.id
        """,
        {"ids": list(account_ids), "region": region_id},
    )
    found = UnknownAccounts([], [], [])
    for account_id, unknown, elsewhere in await cursor.fetchall():
        (found.unknown if unknown else found.elsewhere if elsewhere else found.purged).append(account_id)
    return found


async def applied_accounts(conn: Connection, region_id: int) -> int:
    """The number of a region's accounts that should be on its cluster and have been applied there at least once."""
    cursor = await conn.execute(f"select count(*) from storage_account s where {_APPLIED}", {"region": region_id})
    return (await one_row(cursor))[0]


async def applied_among(conn: Connection, region_id: int, users: Sequence[ListedUser]) -> int:
    """How many of the given users are accounts that `applied_accounts` counts."""
    cursor = await conn.execute(
        f"""
        select count(*) from storage_account s
        where {_APPLIED} and (s.id = any(%(ids)s) and s.cluster_user is null or s.cluster_user = any(%(uids)s))
        """,
        {
            "region": region_id,
            "ids": [user.account_id for user in users if user.account_id is not None],
            "uids": [user.uid for user in users],
        },
    )
    return (await one_row(cursor))[0]


_APPLIED: LiteralString = (
    "s.region_id = %(region)s and s.applied_revision > 0 and s.purged_at is null and s.purge_started_at is null"
)


class DriftRow(NamedTuple):
    """Drift that was left to the operator."""

    region: str
    subject: str
    description: str
    found_at: datetime


async def drift_rows(conn: Connection) -> list[DriftRow]:
    """The drift of all regions, by region, oldest first; at most 500 rows."""
    cursor = await conn.execute(
        """
        select r.name, d.subject, d.description, d.found_at from drift d join region r on r.id = d.region_id
        order by r.name collate "C", d.found_at, d.subject collate "C" limit 500
        """
    )
    return [DriftRow(*row) for row in await cursor.fetchall()]


async def audit_reconcile(conn: Connection, region: str, stamp: str) -> int | None:
    """Writes the audit entry of a requested comparison. Returns the region's id; None if it has no cluster."""
    cursor = await conn.execute(
        """
        select r.id, audit(%(stamp)s, o.id, 'region.reconcile', r.name, null, null) from region r, organisation o
        where r.name = %(region)s and r.backend <> %(metered)s and o.kind = 'operator'
        """,
        {"region": region, "metered": METERED, "stamp": stamp},
    )
    row = await cursor.fetchone()
    return row[0] if row else None

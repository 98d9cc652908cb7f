"""SQL of the simulated region: what a cluster would keep by itself, and how much its accounts store."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from tonnage.db import Connection, one_row
from tonnage.storage.backend import Access, ActualAccount, DesiredAccount


class SimulatedUse(NamedTuple):
    """An account on the present day: the bytes that were set for it, if any, and what limits the simulated ones."""

    account_id: int
    day: date
    set_bytes: int | None
    most: int | None


async def state(conn: Connection, region_id: int, account_id: int) -> ActualAccount | None:
    """The user of an account; None if there is none."""
    cursor = await conn.execute(
        """
        select u.display_name, u.email, u.max_buckets, u.quota, u.access, array(
            select k.access_key from simulated_key k
            where k.region_id = u.region_id and k.account_id = u.account_id order by k.access_key collate "C")
        from simulated_user u where u.region_id = %s and u.account_id = %s
        """,
        [region_id, account_id],
    )
    row = await cursor.fetchone()
    if row is None:
        return None
    name, email, buckets, quota, access, keys = row
    level = Access(access)
    limit = quota if level is Access.FULL else 0
    return ActualAccount(name, email, buckets, limit, quota_exact=True, access=level, access_keys=tuple(keys))


async def apply(conn: Connection, region_id: int, desired: DesiredAccount) -> None:
    """Makes the user as desired."""
    await conn.execute(
        """
        insert into simulated_user (region_id, account_id, display_name, email, quota, access, max_buckets)
        values (%(region)s, %(account)s, %(name)s, %(email)s, %(quota)s, %(access)s, %(buckets)s)
        on conflict (region_id, account_id) do update set display_name = excluded.display_name,
            email = excluded.email, quota = excluded.quota, access = excluded.access,
            max_buckets = excluded.max_buckets
        """,
        {
            "region": region_id,
            "account": desired.account_id,
            "name": desired.display_name,
            "email": desired.email,
            "quota": desired.quota,
            "access": desired.access.value,
            "buckets": desired.max_buckets,
        },
    )


async def delete(conn: Connection, region_id: int, account_id: int) -> None:
    """Deletes the user and its keys."""
    await conn.execute("delete from simulated_user where region_id = %s and account_id = %s", [region_id, account_id])


async def account_ids(conn: Connection, region_id: int, after: int, limit: int) -> list[int]:
    """The accounts of the users after an id."""
    cursor = await conn.execute(
        "select account_id from simulated_user where region_id = %s and account_id > %s order by account_id limit %s",
        [region_id, after, limit],
    )
    return [account_id for (account_id,) in await cursor.fetchall()]


async def add_key(
    conn: Connection, region_id: int, account_id: int, access_key: str, most: int
) -> Sequence[str] | None:
    """Adds a key, or none if it is there. Returns the keys if there are `most` others; None: it was added.

    In a transaction, since it locks the user. Constraint simulated_key_region_id_account_id_fkey: there is no user.
    """
    await conn.execute(
        "select from simulated_user where region_id = %s and account_id = %s for update", [region_id, account_id]
    )
    cursor = await conn.execute(
        'select access_key from simulated_key where region_id = %s and account_id = %s order by access_key collate "C"',
        [region_id, account_id],
    )
    keys = [name for (name,) in await cursor.fetchall()]
    if access_key not in keys and len(keys) >= most:
        return keys
    await conn.execute(
        "insert into simulated_key (region_id, account_id, access_key) values (%s, %s, %s)"
        " on conflict (region_id, access_key) do nothing",
        [region_id, account_id, access_key],
    )
    return None


async def delete_key(conn: Connection, region_id: int, account_id: int, access_key: str) -> None:
    """Deletes a key of an account."""
    await conn.execute(
        "delete from simulated_key where region_id = %s and account_id = %s and access_key = %s",
        [region_id, account_id, access_key],
    )


async def levels(conn: Connection, region_id: int, account_id: int | None = None) -> list[SimulatedUse]:
    """Of all users of the region, or that of one account."""
    cursor = await conn.execute(
        """
        select u.account_id, c.day, (
                select l.bytes from usage_level l
                where l.account_id = u.account_id and c.day between l.first_day and l.last_day
                order by l.seq desc limit 1),
            case when u.access = 'full' then u.quota end
        from simulated_user u, (select (business_time at time zone 'UTC')::date as day from sandbox_clock) c
        where u.region_id = %(region)s and (%(account)s::bigint is null or u.account_id = %(account)s)
        """,
        {"region": region_id, "account": account_id},
    )
    return [SimulatedUse(*row) for row in await cursor.fetchall()]


async def users(conn: Connection, region_id: int) -> int:
    """How many there are."""
    return (await one_row(await conn.execute("select count(*) from simulated_user where region_id = %s", [region_id])))[
        0
    ]

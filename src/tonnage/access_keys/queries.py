"""SQL of access keys. Lock order: account, access key. `scope` and `partner_id` as in accounts/queries.py."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from tonnage.access_keys.access_key import KeyState
from tonnage.accounts.extended_queries import REJECTED
from tonnage.accounts.queries import LIVING
from tonnage.db import Connection
from tonnage.db.rendered import TIMESTAMP_FORMAT
from tonnage.regions.region import METERED
from tonnage.storage.backend import ClusterUser

KEY_FIELDS = f"""'accessKey', k.access_key, 'description', k.description,
    'createdAt', to_char(k.created_at, {TIMESTAMP_FORMAT})"""
_FACT = "jsonb_build_object('accessKey', k.access_key)"


class KeyAccount(NamedTuple):
    """The region and the user for which an account's keys are created, and the numbers of its keys."""

    user: ClusterUser
    region_id: int
    on_cluster: bool
    """False: the region is metered only."""
    purging: bool
    keys: int
    pending: int
    """Of these, the number being created or deleted."""
    rejection_reason: str | None
    """Why the cluster refuses the account in its present state."""


async def lock_account(conn: Connection, scope: UUID, partner_id: UUID, account_id: int) -> KeyAccount | None:
    """Locks the account until the transaction ends: nobody else can add a key to it or start its purge.

    LockNotAvailable: it was locked by another transaction, such as an import of usage, for longer than the session
    waits.
    """
    params = {"id": account_id, "partner": partner_id, "scope": scope, "metered": METERED}
    locked = await conn.execute(f"select from {LIVING} for no key update of s", params)
    if await locked.fetchone() is None:
        return None
    # A separate statement: the first one has a snapshot of the keys from before it waited for the lock.
    cursor = await conn.execute(
        f"""
        select s.cluster_user, s.region_id, r.backend <> %(metered)s, s.purge_started_at is not null,
            count(k.access_key), count(k.access_key) filter (where k.state <> 'active'),
            case when {REJECTED} then s.rejection_reason end
        from storage_account s join region r on r.id = s.region_id left join access_key k on k.account_id = s.id
        where s.id = %(id)s group by s.id, r.id
        """,
        params,
    )
    row = await cursor.fetchone()
    return KeyAccount(ClusterUser(account_id, row[0]), *row[1:]) if row else None


async def insert_key(
    conn: Connection, account_id: int, access_key: str, description: str | None, now: datetime
) -> None:
    """Inserts a pending key."""
    await conn.execute(
        """
        insert into access_key (access_key, account_id, description, state, created_at, changed_at)
        values (%(key)s, %(id)s, %(description)s, 'pending', %(now)s, %(now)s)
        """,
        {"key": access_key, "id": account_id, "description": description, "now": now},
    )


async def activate_key(
    conn: Connection, account_id: int, access_key: str, now: datetime, stamp: str, sealed_secret: str | None = None
) -> bytes | None:
    """Marks a pending key active and returns it as JSON, without its secret. None: it was given up meanwhile."""
    cursor = await conn.execute(
        f"""
        with k as (
            update access_key set state = 'active', changed_at = %(now)s
            where account_id = %(id)s and access_key = %(key)s and state = 'pending'
            returning *
        )
        select save_response(%(stamp)s, json_strip_nulls(json_build_object({KEY_FIELDS})), null, %(sealed_secret)s),
            audit(%(stamp)s, s.partner_id, 'account.create-key', s.id::text, null, {_FACT})
        from k join storage_account s on s.id = k.account_id
        """,
        {"id": account_id, "key": access_key, "now": now, "stamp": stamp, "sealed_secret": sealed_secret},
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def start_deletion(
    conn: Connection, account_id: int, access_key: str, now: datetime, stamp: str, *, pending: bool = False
) -> bool:
    """Marks a key as deleting. False: the account has no such key. Idempotent: True for a key that is being deleted
    already. `pending`: a pending one too; that is not audited, since its creation was not either."""
    cursor = await conn.execute(
        f"""
        with old as (
            select * from access_key
            where access_key = %(key)s and account_id = %(id)s and (state <> 'pending' or %(pending)s) for no key update
        ), k as (
            update access_key k set state = 'deleting', changed_at = %(now)s
            from old
            where k.account_id = old.account_id and k.access_key = old.access_key and old.state <> 'deleting'
            returning k.*
        )
        select (select audit(%(stamp)s, s.partner_id, 'account.delete-key', s.id::text, {_FACT}, null)
                from k join storage_account s on s.id = k.account_id where old.state = 'active')
        from old
        """,
        {"key": access_key, "id": account_id, "now": now, "stamp": stamp, "pending": pending},
    )
    return await cursor.fetchone() is not None


async def remove_key(conn: Connection, account_id: int, access_key: str) -> None:
    """Removes the row of a key that is not on its cluster and will not get there. An active key is not removed."""
    await conn.execute(
        "delete from access_key where account_id = %s and access_key = %s and state <> 'active'",
        [account_id, access_key],
    )


async def mark_lost(conn: Connection, access_keys: Sequence[tuple[int, str]], stamp: str) -> list[tuple[int, str]]:
    """Removes active keys that were deleted on their cluster by other means. Keys are account and name; returns those
    removed."""
    cursor = await conn.execute(
        f"""
        with lost as (
            select * from unnest(%(ids)s::bigint[], %(keys)s::text[]) as t (account_id, access_key)
        ), old as (
            select k.account_id, k.access_key from access_key k join lost using (account_id, access_key)
            where k.state = 'active'
            order by k.account_id, k.access_key collate "C" for update of k
        ), k as (
            delete from access_key k using old
            where k.account_id = old.account_id and k.access_key = old.access_key returning k.*
        )
        select k.account_id, k.access_key,
            audit(%(stamp)s, s.partner_id, 'account.mark-key-lost', s.id::text, {_FACT}, null)
        from k join storage_account s on s.id = k.account_id order by k.access_key collate "C"
        """,
        {**_columns(access_keys), "stamp": stamp},
    )
    return [(account_id, access_key) for account_id, access_key, _ in await cursor.fetchall()]


async def record_found(conn: Connection, access_keys: Sequence[tuple[int, str]], now: datetime, stamp: str) -> None:
    """Records keys, account and name, that were found on a cluster. Leaves out those that are known meanwhile, those of
    accounts that are being purged, and names of an unusual form.

    The accounts are locked against the end of a purge, which removes their keys.
    """
    await conn.execute(
        f"""
        with found as (
            select * from unnest(%(ids)s::bigint[], %(keys)s::text[]) as t (account_id, access_key)
        ), s as materialized (
            select id, partner_id from storage_account
            where id in (select account_id from found) and purge_started_at is null order by id for share
        ), k as (
            insert into access_key (access_key, account_id, state, origin, created_at, changed_at)
            select f.access_key, f.account_id, 'active', 'found', %(now)s, %(now)s
            from found f join s on s.id = f.account_id
            where f.access_key ~ '^[!-.0-~]{{1,128}}$'
            order by f.account_id, f.access_key collate "C"
            on conflict (account_id, access_key) do nothing
            returning *
        )
        select audit(%(stamp)s, s.partner_id, 'account.find-key', s.id::text, null, {_FACT})
        from k join s on s.id = k.account_id
        """,
        {**_columns(access_keys), "now": now, "stamp": stamp},
    )


async def accept_found(conn: Connection, account_id: int, access_key: str, stamp: str) -> None:
    """Records that a key that was found on the cluster is known to the operator, and no drift any more."""
    await conn.execute(
        f"""
        with k as (
            update access_key set origin = 'adopted'
            where account_id = %(id)s and access_key = %(key)s and origin = 'found'
            returning *
        )
        select audit(%(stamp)s, s.partner_id, 'account.accept-key', s.id::text, null, {_FACT})
        from k join storage_account s on s.id = k.account_id
        """,
        {"id": account_id, "key": access_key, "stamp": stamp},
    )


async def insert_adopted(conn: Connection, account_id: int, access_keys: Sequence[str], now: datetime) -> None:
    """Inserts the keys of an account that is being adopted, except for names of an unusual form."""
    await conn.execute(
        """
        insert into access_key (access_key, account_id, state, origin, created_at, changed_at)
        select name, %(id)s, 'active', 'adopted', %(now)s, %(now)s from unnest(%(keys)s::text[]) as k (name)
        where name ~ '^[!-.0-~]{1,128}$' order by name collate "C"
        """,
        {"id": account_id, "keys": list(access_keys), "now": now},
    )


async def found_keys(conn: Connection, account_ids: Sequence[int]) -> list[tuple[int, str]]:
    """The keys of accounts that were found on their cluster and neither accepted nor deleted since."""
    cursor = await conn.execute(
        """
        select account_id, access_key from access_key
        where account_id = any(%s) and origin = 'found' and state = 'active'
        order by account_id, access_key collate "C"
        """,
        [list(account_ids)],
    )
    return [(account_id, access_key) for account_id, access_key in await cursor.fetchall()]


def _columns(access_keys: Sequence[tuple[int, str]]) -> dict[str, object]:
    return {"ids": [account_id for account_id, _ in access_keys], "keys": [name for _, name in access_keys]}


async def keys_of(conn: Connection, account_ids: Sequence[int]) -> dict[int, dict[str, KeyState]]:
    """The keys of accounts with their states; accounts without keys are left out."""
    cursor = await conn.execute(
        "select account_id, access_key, state from access_key where account_id = any(%s)", [list(account_ids)]
    )
    found: dict[int, dict[str, KeyState]] = {}
    for account_id, access_key, state in await cursor.fetchall():
        found.setdefault(account_id, {})[access_key] = KeyState(state)
    return found


class IncompleteKey(NamedTuple):
    """A key whose creation or deletion was interrupted."""

    user: ClusterUser
    access_key: str


async def expire_pending(conn: Connection, region_id: int, before: datetime, now: datetime) -> list[IncompleteKey]:
    """The keys of a region that are being deleted, or have been pending since `before`.

    Pending ones are marked as deleting: `activate_key` then returns None to the request that created the key.
    """
    cursor = await conn.execute(
        """
        with old as (
            select k.account_id, k.access_key, s.cluster_user
            from access_key k join storage_account s on s.id = k.account_id
            where s.region_id = %(region)s
                and (k.state = 'deleting' or k.state = 'pending' and k.changed_at <= %(before)s)
            order by k.access_key collate "C" for no key update of k
        ), k as (
            update access_key k set state = 'deleting',
                changed_at = case k.state when 'pending' then %(now)s else k.changed_at end
            from old
            where k.account_id = old.account_id and k.access_key = old.access_key and k.state <> 'active'
            returning k.*, old.cluster_user
        )
        select account_id, cluster_user, access_key from k order by changed_at, access_key collate "C"
        """,
        {"region": region_id, "before": before, "now": now},
    )
    return [IncompleteKey(ClusterUser(*row[:2]), row[2]) for row in await cursor.fetchall()]


async def discard_pending(conn: Connection, until: datetime) -> int:
    """Removes the rows of keys that were being created at `until`, of a restored database; returns their number.

    Each was probably created, and may be in use: on the cluster it counts as a key that was not created here.
    """
    cursor = await conn.execute("delete from access_key where state = 'pending' and created_at <= %s", [until])
    return cursor.rowcount


async def regions_to_clean_up(conn: Connection, before: datetime) -> list[int]:
    """The regions for which `expire_pending` would find keys."""
    cursor = await conn.execute(
        """
        select distinct s.region_id from access_key k join storage_account s on s.id = k.account_id
        where (k.state = 'deleting' or k.state = 'pending' and k.changed_at <= %s) and s.purged_at is null
        order by s.region_id
        """,
        [before],
    )
    return [region_id for (region_id,) in await cursor.fetchall()]

"""SQL of API keys."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import LiteralString, NamedTuple
from uuid import UUID

from tonnage.api_keys.api_key import KnownKey, NewKey, key_prefix
from tonnage.api_keys.rate_limit import KeyLimit
from tonnage.db import Connection, ListQuery, one_row
from tonnage.db.rendered import TIMESTAMP_FORMAT, Rendered
from tonnage.names import name_key
from tonnage.tokens import digest

_KEY: LiteralString = f"""json_strip_nulls(json_build_object(
    'id', k.id, 'organisationId', k.organisation_id, 'description', k.description, 'role', k.role, 'prefix', k.prefix,
    'requestsPerSecond', k.requests_per_second,
    'validUntil', to_char(k.valid_until, {TIMESTAMP_FORMAT}), 'createdAt', to_char(k.created_at, {TIMESTAMP_FORMAT}),
    'lastUsedAt', to_char(k.last_used_at, {TIMESTAMP_FORMAT}),
    'revokedAt', to_char(k.revoked_at, {TIMESTAMP_FORMAT})))"""


async def find_key(conn: Connection, key_digest: bytes) -> KnownKey | None:
    """The key with that digest, expired and revoked ones too; None once its organisation is closed.

    A withheld one counts as revoked.
    """
    cursor = await conn.execute(
        """
        select k.id, o.id, o.kind, k.role, k.valid_until, coalesce(k.revoked_at, k.withheld_at), o.lock_reason,
            k.requests_per_second, p.suspension_reason
        from api_key k join organisation o on o.id = k.organisation_id left join partner p on p.id = o.id
        where k.digest = %s and o.closed_at is null
        """,
        [key_digest],
    )
    row = await cursor.fetchone()
    return KnownKey.of_row(row) if row else None


async def key_details(conn: Connection, key_id: UUID | None, program: str, api: str) -> bytes | None:
    """A key and its organisation, as JSON for its holder, with these versions; None once its organisation is closed."""
    cursor = await conn.execute(
        f"""
        select json_build_object(
            'organisation', json_build_object('id', o.id, 'name', o.name), 'kind', o.kind, 'role', k.role,
            'key', json_strip_nulls(json_build_object(
                'id', k.id, 'description', k.description, 'validUntil', to_char(k.valid_until, {TIMESTAMP_FORMAT}))),
            'versions', json_build_object('program', %(program)s::text, 'api', %(api)s::text))
        from api_key k join organisation o on o.id = k.organisation_id
        where k.id = %(key)s and o.closed_at is null
        """,
        {"key": key_id, "program": program, "api": api},
    )
    row = await cursor.fetchone()
    return row[0] if row else None


_INSERT: LiteralString = f"""
    with k as (
        insert into api_key (organisation_id, description, name_key, role, prefix, digest, valid_until, created_at,
            requests_per_second, created_by_id)
        select %(organisation)s, %(description)s, %(name_key)s, %(role)s, %(prefix)s, %(digest)s, %(valid_until)s,
            %(now)s, %(requests_per_second)s, %(creator)s
        where (
            select count(*) from api_key
            where organisation_id = %(organisation)s and revoked_at is null
                and (valid_until is null or valid_until > %(now)s)
        ) < %(most)s
        returning *
    )
    select k.id, {_KEY}, audit(%(stamp)s, k.organisation_id, 'key.create', k.id::text, null,
        jsonb_strip_nulls(jsonb_build_object('description', k.description, 'role', k.role, 'prefix', k.prefix,
            'requestsPerSecond', k.requests_per_second)))
    from k"""


async def insert_key(
    conn: Connection,
    organisation_id: UUID,
    creator_id: UUID | None,
    key: str,
    details: NewKey,
    most: int,
    now: datetime,
    stamp: str,
) -> tuple[Rendered[UUID], int] | None:
    """Returns the key's facts, never the key, and the audit entry. None if the organisation, whose row is held, has
    `most` that work.

    `creator_id`: the member's who creates it.
    """
    params = {
        "most": most,
        "requests_per_second": details.limit.requests_per_second,
        "organisation": organisation_id,
        "creator": creator_id,
        "description": details.description,
        "name_key": name_key(details.description),
        "role": details.role,
        "prefix": key_prefix(key),
        "digest": digest(key),
        "valid_until": details.valid_until,
        "now": now,
        "stamp": stamp,
    }
    cursor = await conn.execute(_INSERT, params)
    row = await cursor.fetchone()
    return (Rendered(*row[:2]), row[2]) if row else None


async def revoke_key(
    conn: Connection, scope: UUID | None, key_id: UUID, now: datetime, stamp: str
) -> tuple[bool, int | None]:
    """Revokes a key; returns True and the audit entry. False if neither the organisation `scope` (None: any) nor a
    partner of it has such a key. Revoking again keeps the first time, and has no entry.
    """
    cursor = await conn.execute(
        """
        with k as (
            select k.* from api_key k join organisation o on o.id = k.organisation_id
            where k.id = %(key)s and (%(scope)s::uuid is null or %(scope)s in (o.id, o.parent_id))
            for no key update of k
        ), revoked as (
            update api_key a set revoked_at = %(now)s from k where a.id = k.id and k.revoked_at is null returning a.*
        )
        select k.id, (select audit(%(stamp)s, r.organisation_id, 'key.revoke', r.id::text, null, null) from revoked r)
        from k
        """,
        {"key": key_id, "scope": scope, "now": now, "stamp": stamp},
    )
    row = await cursor.fetchone()
    return row is not None, row[1] if row else None


async def limit_key(
    conn: Connection, scope: UUID | None, key_id: UUID, limit: KeyLimit, expected: KeyLimit | None, stamp: str
) -> bool | None:
    """Changes the limit of a key. True if it is neither as expected nor already the new one: then nothing is changed.
    None if the organisation `scope` (None: any) has no such key.
    """
    cursor = await conn.execute(
        """
        with old as (
            select id, requests_per_second, %(is_expected)s::boolean
                and requests_per_second is distinct from %(expected)s::integer
                and requests_per_second is distinct from %(limit)s::integer as is_stale
            from api_key
            where id = %(key)s and (%(scope)s::uuid is null or organisation_id = %(scope)s) for no key update
        ), k as (
            update api_key a set requests_per_second = %(limit)s::integer from old
            where a.id = old.id and not old.is_stale and old.requests_per_second is distinct from %(limit)s::integer
            returning a.*
        )
        select old.is_stale, (select audit(%(stamp)s, k.organisation_id, 'key.limit', k.id::text,
            jsonb_build_object('requestsPerSecond', old.requests_per_second),
            jsonb_build_object('requestsPerSecond', k.requests_per_second)) from k)
        from old
        """,
        {
            "key": key_id,
            "scope": scope,
            "limit": limit.requests_per_second,
            "is_expected": expected is not None,
            "expected": expected and expected.requests_per_second,
            "stamp": stamp,
        },
    )
    row = await cursor.fetchone()
    return row[0] if row else None


class WithheldKey(NamedTuple):
    """A key that does not work: it was revoked, but lives again in a restored database."""

    id: UUID
    organisation: str
    description: str
    prefix: str


async def withhold_keys(conn: Connection, key_ids: Sequence[UUID], now: datetime) -> None:
    """Withholds those of these keys that live and were not released."""
    await conn.execute(
        """
        update api_key set withheld_at = %s
        where id = any(%s) and revoked_at is null and withheld_at is null and released_at is null
        """,
        [now, list(key_ids)],
    )


async def keys_of(conn: Connection, organisation_ids: Sequence[UUID]) -> list[UUID]:
    """The ids of all keys of these organisations."""
    cursor = await conn.execute("select id from api_key where organisation_id = any(%s)", [list(organisation_ids)])
    return [key_id for (key_id,) in await cursor.fetchall()]


async def withheld_keys(conn: Connection) -> list[WithheldKey]:
    """The keys that are withheld, by organisation."""
    cursor = await conn.execute(
        """
        select k.id, o.name, k.description, k.prefix from api_key k join organisation o on o.id = k.organisation_id
        where k.withheld_at is not null and k.revoked_at is null order by o.name_key, o.id, k.seq
        """
    )
    return [WithheldKey(*row) for row in await cursor.fetchall()]


async def revoke_withheld_keys(conn: Connection, now: datetime, stamp: str) -> int:
    """Revokes the keys that are withheld; returns their number."""
    cursor = await conn.execute(
        """
        with k as (
            update api_key set revoked_at = %(now)s, withheld_at = null
            where withheld_at is not null and revoked_at is null returning *
        )
        select audit(%(stamp)s, k.organisation_id, 'key.revoke', k.id::text, null, null) from k
        """,
        {"now": now, "stamp": stamp},
    )
    return len(await cursor.fetchall())


async def release_keys(conn: Connection, now: datetime) -> None:
    """Lets the keys that are withheld work again, for good."""
    await conn.execute("update api_key set withheld_at = null, released_at = %s where withheld_at is not null", [now])


async def announce_expiry(conn: Connection, now: datetime, stamp: str) -> int:
    """An audit entry for each key that expires within 14 and within 3 days, and for each that has expired: each once.
    Returns their number.

    A key that was made for a shorter time is not announced on the day it is made, and one whose end is a week ago not
    any more.
    """
    cursor = await conn.execute(
        """
        with due as (
            select k.id, n.days from api_key k join organisation o on o.id = k.organisation_id
            cross join lateral (
                select min(days) as days from unnest(array[14, 3, 0]) as days
                where k.valid_until <= %(now)s::timestamptz + make_interval(days => days)) n
            where k.valid_until <= %(now)s::timestamptz + interval '14 days'
                and k.valid_until > %(now)s::timestamptz - interval '7 days' and k.revoked_at is null
                and k.expiry_announced is distinct from 0 and n.days < coalesce(k.expiry_announced, 15)
                and o.closed_at is null
            order by k.id for no key update of k
        ), k as (
            update api_key k set expiry_announced = due.days from due where k.id = due.id returning k.*
        )
        select count(audit(%(stamp)s, k.organisation_id,
            case when k.expiry_announced = 0 then 'key.expire' else 'key.near-expiry' end, k.id::text, null,
            jsonb_build_object('validUntil', to_char(k.valid_until, 'YYYY-MM-DD"T"HH24:MI:SS"Z"'))))
        from k where k.expiry_announced = 0 or k.created_at < k.valid_until - make_interval(days => k.expiry_announced)
        """,
        {"now": now, "stamp": stamp},
    )
    return (await one_row(cursor))[0]


async def record_use(conn: Connection, used: Mapping[UUID, datetime]) -> None:
    """Advances the last-used times of many keys in one statement; never back, whichever process writes last."""
    await conn.execute(
        """
        with k as (
            select k.id, u.at
            from api_key k join unnest(%(ids)s::uuid[], %(times)s::timestamptz[]) u (id, at) on k.id = u.id
            where k.last_used_at is null or k.last_used_at < u.at
            order by k.id for no key update of k
        )
        update api_key set last_used_at = k.at from k where api_key.id = k.id
        """,
        {"ids": list(used), "times": list(used.values())},
    )


def api_keys(organisation_id: UUID | None) -> ListQuery:
    """The list of the keys of an open organisation, or of all of them for None."""
    return ListQuery(
        f"""
        select k.seq, {_KEY} from api_key k join organisation o on o.id = k.organisation_id and o.closed_at is null
        where (%(organisation)s::uuid is null or k.organisation_id = %(organisation)s)
            and (%(after)s::bigint is null or k.seq > %(after)s)
        order by k.seq limit %(limit)s
        """,
        {"organisation": organisation_id},
    )

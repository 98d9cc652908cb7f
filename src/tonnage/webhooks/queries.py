"""SQL of endpoints of webhooks, and of their secrets. The secrets themselves are sealed."""

from datetime import datetime
from typing import LiteralString
from uuid import UUID

from tonnage.db import Connection, ListQuery, one_row
from tonnage.db.rendered import TIMESTAMP_FORMAT, Versioned
from tonnage.webhooks.delivery import Disabled
from tonnage.webhooks.endpoint import MOST_SECRETS, EndpointChange, SendingEndpoint

_ENDPOINT: LiteralString = f"""json_strip_nulls(json_build_object(
    'id', w.id, 'url', w.url, 'description', w.description, 'types', w.types, 'enabled', w.disabled_at is null,
    'disabledReason', w.disabled_reason, 'disabledAt', to_char(w.disabled_at, {TIMESTAMP_FORMAT}),
    'failingSince', to_char(w.failing_since, {TIMESTAMP_FORMAT}),
    'createdAt', to_char(w.created_at, {TIMESTAMP_FORMAT}), 'publicKey', w.public_key,
    'secrets', (select coalesce(json_agg(json_build_object(
            'id', s.id, 'createdAt', to_char(s.created_at, {TIMESTAMP_FORMAT})) order by s.created_at desc, s.id), '[]')
        from webhook_secret s where s.endpoint_id = w.id)))"""

_FACTS: LiteralString = """jsonb_strip_nulls(jsonb_build_object('url', w.url, 'description', w.description,
    'types', w.types, 'enabled', w.disabled_at is null))"""


def endpoints_of(organisation_id: UUID) -> ListQuery:
    """The endpoints of an organisation, in order of creation."""
    return ListQuery(
        f"""
        select w.seq, {_ENDPOINT} from webhook_endpoint w
        where w.organisation_id = %(scope)s and (%(after)s::bigint is null or w.seq > %(after)s)
        order by w.seq limit %(limit)s
        """,
        {"scope": organisation_id},
    )


async def find_endpoint(conn: Connection, scope: UUID, endpoint_id: UUID) -> Versioned | None:
    """None: the organisation has no such endpoint."""
    cursor = await conn.execute(
        f"select {_ENDPOINT}, w.revision from webhook_endpoint w where w.id = %s and w.organisation_id = %s",
        [endpoint_id, scope],
    )
    row = await cursor.fetchone()
    return Versioned(*row) if row else None


async def hold_organisation(conn: Connection, scope: UUID) -> int:
    """How many endpoints it has. Nobody else creates one until the transaction ends."""
    await conn.execute("select from organisation where id = %s for no key update", [scope])
    cursor = await conn.execute("select count(*) from webhook_endpoint where organisation_id = %s", [scope])
    return (await one_row(cursor))[0]


async def insert_endpoint(
    conn: Connection, scope: UUID, change: EndpointChange, public_key: str, now: datetime, stamp: str
) -> UUID:
    """A new endpoint, which gets the events from now on."""
    cursor = await conn.execute(
        f"""
        with w as (
            insert into webhook_endpoint (organisation_id, url, description, types, created_at, public_key)
            values (%(scope)s, %(url)s, nullif(%(description)s::text, ''), nullif(%(types)s::text[], '{{}}'), %(now)s,
                %(public_key)s)
            returning *
        )
        select w.id, audit(%(stamp)s, w.organisation_id, 'webhook.create', w.id::text, null, {_FACTS}) from w
        """,
        {**_values(change), "scope": scope, "public_key": public_key, "now": now, "stamp": stamp},
    )
    return (await one_row(cursor))[0]


def _values(change: EndpointChange) -> dict[str, object]:
    return {
        "url": change.url,
        "description": change.description,
        "types": None if change.types is None else list(change.types),
        "enabled": change.enabled,
    }


_UPDATE: LiteralString = f"""
    with old as (
        select * from webhook_endpoint where id = %(id)s and organisation_id = %(scope)s
            and coalesce(revision = %(revision)s, true) for no key update
    ), before as (
        select {_FACTS} as facts from old w
    ), w as (
        update webhook_endpoint w set url = coalesce(%(url)s, w.url), revision = w.revision + 1,
            description = case when %(description)s::text is null then w.description
                else nullif(%(description)s::text, '') end,
            types = case when %(types)s::text[] is null then w.types else nullif(%(types)s::text[], '{{}}') end,
            disabled_at = case when %(enabled)s::boolean then null when not %(enabled)s::boolean
                then coalesce(w.disabled_at, %(now)s) else w.disabled_at end,
            disabled_reason = case when %(enabled)s::boolean then null when not %(enabled)s::boolean
                then coalesce(w.disabled_reason, %(reason)s) else w.disabled_reason end,
            failing_since = case when %(enabled)s::boolean then null else w.failing_since end
        from old where w.id = old.id returning w.*
    )
    select save_response(%(stamp)s, {_ENDPOINT}, w.revision), w.revision, case when before.facts <> {_FACTS} then
        audit(%(stamp)s, w.organisation_id, 'webhook.update', w.id::text, before.facts, {_FACTS}) end
    from w, before"""


async def update_endpoint(
    conn: Connection,
    scope: UUID,
    endpoint_id: UUID,
    change: EndpointChange,
    revision: int | None,
    now: datetime,
    stamp: str,
) -> Versioned | None:
    """The endpoint after the change, if `revision` is given only of that one. None: the organisation has none of that
    id. One that is enabled again has failed never."""
    cursor = await conn.execute(
        _UPDATE,
        {
            **_values(change),
            "id": endpoint_id,
            "scope": scope,
            "reason": Disabled.BY_PERSON,
            "revision": revision,
            "now": now,
            "stamp": stamp,
        },
    )
    row = await cursor.fetchone()
    return Versioned(row[0], row[1]) if row else None


async def delete_endpoint(
    conn: Connection, scope: UUID, endpoint_id: UUID, revision: int | None, stamp: str
) -> list[str] | None:
    """The names of its sealed secrets, which the caller discards. If `revision` is given, only in that one. None: the
    organisation has no such endpoint."""
    cursor = await conn.execute(
        f"""
        with names as materialized (
            select coalesce(array_agg('webhook/' || s.id), '{{}}') as names from webhook_secret s
            where s.endpoint_id = %(id)s
        ), w as (
            delete from webhook_endpoint w where w.id = %(id)s and w.organisation_id = %(scope)s
                and coalesce(w.revision = %(revision)s, true) returning *
        )
        select names.names, save_response(%(stamp)s, null),
            audit(%(stamp)s, w.organisation_id, 'webhook.delete', w.id::text, {_FACTS}, null) from w, names
        """,
        {"id": endpoint_id, "scope": scope, "revision": revision, "stamp": stamp},
    )
    row = await cursor.fetchone()
    return [f"webhook-key/{endpoint_id}", *row[0]] if row else None


async def insert_secret(
    conn: Connection, scope: UUID, endpoint_id: UUID, now: datetime, stamp: str, *, is_first: bool = False
) -> tuple[bool, UUID | None]:
    """Whether the organisation has that endpoint, and the id of the new secret; None: it has two already."""
    await conn.execute("select from webhook_endpoint where id = %s for no key update", [endpoint_id])
    cursor = await conn.execute(
        """
        with w as (
            select w.*, (select count(*) from webhook_secret s where s.endpoint_id = w.id) as secrets
            from webhook_endpoint w where w.id = %(id)s and w.organisation_id = %(scope)s
        ), s as (
            insert into webhook_secret (endpoint_id, created_at)
            select w.id, %(now)s from w where w.secrets < %(most)s returning id
        )
        select (select id from s), case when exists (select from s) and not %(first)s then audit(%(stamp)s,
            w.organisation_id, 'webhook.add-secret', w.id::text, null, null) end from w
        """,
        {
            "id": endpoint_id,
            "scope": scope,
            "now": now,
            "most": MOST_SECRETS,
            "first": is_first,
            "stamp": stamp,
        },
    )
    row = await cursor.fetchone()
    return (True, row[0]) if row else (False, None)


async def delete_secret(conn: Connection, scope: UUID, endpoint_id: UUID, secret_id: UUID, stamp: str) -> int | None:
    """How many are left. None: there is no such secret, or it is the only one."""
    await conn.execute("select from webhook_endpoint where id = %s for no key update", [endpoint_id])
    cursor = await conn.execute(
        """
        with w as (
            select w.*, (select count(*) from webhook_secret s where s.endpoint_id = w.id) as secrets
            from webhook_endpoint w where w.id = %(id)s and w.organisation_id = %(scope)s
        ), s as (
            delete from webhook_secret s using w where s.endpoint_id = w.id and s.id = %(secret)s and w.secrets > 1
            returning s.id
        )
        select w.secrets - 1, save_response(%(stamp)s, null),
            audit(%(stamp)s, w.organisation_id, 'webhook.revoke-secret', w.id::text, null, null) from w, s
        """,
        {"id": endpoint_id, "scope": scope, "secret": secret_id, "stamp": stamp},
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def sending_endpoint(conn: Connection, endpoint_id: UUID) -> SendingEndpoint | None:
    """What is needed to send to an endpoint; None: it is disabled or deleted, or its organisation is closed."""
    cursor = await conn.execute(
        """
        select w.id, w.organisation_id, o.kind, w.url,
            array(select s.id from webhook_secret s where s.endpoint_id = w.id order by s.created_at desc, s.id)
        from webhook_endpoint w join organisation o on o.id = w.organisation_id
        where w.id = %s and w.disabled_at is null and o.closed_at is null
        """,
        [endpoint_id],
    )
    row = await cursor.fetchone()
    return SendingEndpoint(row[0], row[1], row[2], row[3], tuple(row[4])) if row else None


async def audit_test(conn: Connection, scope: UUID, endpoint_id: UUID, stamp: str) -> None:
    """That a test event was requested."""
    cursor = await conn.execute(
        "select audit(%(stamp)s, %(scope)s, 'webhook.test', %(id)s::uuid::text, null, null)",
        {"scope": scope, "id": endpoint_id, "stamp": stamp},
    )
    await cursor.fetchone()


async def audit_replay(conn: Connection, scope: UUID, endpoint_id: UUID, events: int, stamp: str) -> None:
    """That so many events are sent again."""
    cursor = await conn.execute(
        """
        select audit(%(stamp)s, %(scope)s, 'webhook.replay', %(id)s::uuid::text, null,
            jsonb_build_object('events', %(events)s::bigint))
        """,
        {"scope": scope, "id": endpoint_id, "events": events, "stamp": stamp},
    )
    await cursor.fetchone()


async def save_result(
    conn: Connection,
    document: bytes | None,
    stamp: str,
    revision: int | None = None,
    sealed_secret: str | None = None,
) -> None:
    """Stores the response to a request with an Idempotency-Key."""
    await conn.execute(
        "select save_response(%s::jsonb, %s::json, %s::bigint, %s::text)",
        [stamp, None if document is None else document.decode(), revision, sealed_secret],
    )

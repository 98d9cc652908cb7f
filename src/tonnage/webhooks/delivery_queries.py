"""SQL of deliveries: making them of events, sending them, their log."""

from datetime import datetime
from typing import LiteralString
from uuid import UUID

from tonnage.access.actor import Kind, system_stamp
from tonnage.db import Connection, ListQuery, one_row
from tonnage.db.rendered import TIMESTAMP_FORMAT
from tonnage.events.registry import PRIVATE_TYPES, types_for
from tonnage.webhooks.delivery import FAILS_FOR, GONE, DeliveryAttempt, Disabled, DueDelivery
from tonnage.webhooks.endpoint import TEST

_STATE: LiteralString = """case when d.delivered_at is not null then 'delivered' when d.due_at is null then 'failed'
    else 'pending' end"""

_DELIVERY: LiteralString = f"""json_strip_nulls(json_build_object(
    'id', d.id, 'eventId', d.event_id, 'type', d.type, 'state', {_STATE}, 'attempts', d.attempts,
    'createdAt', to_char(d.created_at, {TIMESTAMP_FORMAT}),
    'attemptedAt', to_char(d.attempted_at, {TIMESTAMP_FORMAT}), 'nextAttemptAt', to_char(d.due_at, {TIMESTAMP_FORMAT}),
    'milliseconds', d.milliseconds, 'status', d.status, 'detail', d.detail))"""


async def make_deliveries(conn: Connection, most: int, now: datetime) -> tuple[int, int]:
    """Makes deliveries of the next `most` events. Returns how many events were looked at, and how many deliveries were
    made. One caller at a time until its commit. Nothing is locked or written where there is nothing new."""
    types = [(str(kind), event.type) for kind in Kind for event in types_for(kind)]
    cursor = await conn.execute(
        """
        with p as materialized (
            select position from webhook_progress
            where position < (select max(position) from event) for update
        ), e as materialized (
            select e.* from event e, p where e.position > p.position order by e.position limit %(most)s
        ), t as (
            select * from unnest(%(kinds)s::text[], %(types)s::text[]) as t (kind, type)
        ), made as (
            insert into webhook_delivery (endpoint_id, event_id, type, created_at, due_at)
            select w.id, e.id, e.type, %(now)s, %(now)s
            from e join webhook_endpoint w on w.disabled_at is null
                and (w.organisation_id = e.organisation_id or (e.type <> all(%(private)s)
                    and w.organisation_id in (e.parent_id, operator_id())))
                and (w.types is null or e.type = any(w.types))
            join organisation o on o.id = w.organisation_id and o.closed_at is null
            join t on t.kind = o.kind and t.type = e.type
            order by e.position, w.seq
            on conflict do nothing returning id
        ), moved as (
            update webhook_progress set position = (select max(position) from e) where exists (select from e)
        )
        select (select count(*) from e), (select count(*) from made)
        """,
        {
            "most": most,
            "now": now,
            "kinds": [kind for kind, _ in types],
            "types": [type_ for _, type_ in types],
            "private": sorted(PRIVATE_TYPES),
        },
    )
    return await one_row(cursor)


async def endpoints_due(conn: Connection, now: datetime, most: int) -> list[UUID]:
    """The first endpoints with deliveries that are due."""
    cursor = await conn.execute(
        """
        select w.id from webhook_endpoint w
        where w.disabled_at is null and exists (
                select from webhook_delivery d where d.endpoint_id = w.id and d.due_at <= %(now)s)
        order by w.seq limit %(most)s
        """,
        {"now": now, "most": most},
    )
    return [row[0] for row in await cursor.fetchall()]


async def due_deliveries(conn: Connection, endpoint_id: UUID, now: datetime, most: int) -> list[DueDelivery]:
    """The deliveries of an endpoint that have waited longest."""
    cursor = await conn.execute(
        """
        select id, event_id, type, created_at, attempts from webhook_delivery where endpoint_id = %s and due_at <= %s
        order by due_at, id limit %s
        """,
        [endpoint_id, now, most],
    )
    return [DueDelivery(*row) for row in await cursor.fetchall()]


_STORE_ATTEMPT: LiteralString = """
    with d as (
        update webhook_delivery d set attempts = d.attempts + 1, attempted_at = %(at)s,
            milliseconds = %(milliseconds)s, status = %(status)s, detail = %(detail)s,
            due_at = case when %(succeeded)s then null else %(due)s::timestamptz end,
            delivered_at = case when %(succeeded)s then %(at)s::timestamptz end
        where d.id = %(id)s
    ), old as (
        select * from webhook_endpoint where id = %(endpoint)s for no key update
    ), verdict as (
        select old.*, case when old.disabled_at is not null or %(succeeded)s then null
            when %(status)s = %(gone)s then %(is_gone)s
            when old.failing_since <= %(failing_before)s then %(is_failing)s end as reason
        from old
    ), w as (
        update webhook_endpoint w set disabled_at = case when v.reason is null then w.disabled_at else %(at)s end,
            disabled_reason = coalesce(v.reason, w.disabled_reason),
            failing_since = case when %(succeeded)s then null else coalesce(w.failing_since, %(at)s) end
        from verdict v where w.id = v.id and (v.reason is not null or %(succeeded)s = (w.failing_since is not null))
        returning w.id
    )
    select v.reason, audit(%(stamp)s, v.organisation_id, 'webhook.disable', v.id::text, null,
        jsonb_build_object('url', v.url, 'reason', v.reason)) from verdict v where v.reason is not null"""


async def store_attempt(
    conn: Connection, endpoint_id: UUID, delivery: DueDelivery, attempt: DeliveryAttempt, due_at: datetime | None
) -> tuple[str, int] | None:
    """Notes an attempt, and when the next one is. Disables an endpoint that says it is gone, or that has failed for
    five days; returns why, and the id of the audit entry that says so. None: it is not disabled."""
    cursor = await conn.execute(
        _STORE_ATTEMPT,
        {
            "id": delivery.id,
            "endpoint": endpoint_id,
            "at": attempt.at,
            "milliseconds": attempt.milliseconds,
            "status": attempt.status,
            "detail": attempt.detail,
            "succeeded": attempt.succeeded,
            "due": due_at,
            "gone": GONE,
            "is_gone": Disabled.GONE,
            "is_failing": Disabled.FAILING,
            "failing_before": attempt.at - FAILS_FOR,
            "stamp": system_stamp(),
        },
    )
    return await cursor.fetchone()


async def insert_test(conn: Connection, endpoint_id: UUID, now: datetime) -> int:
    """A test event, which is due now. Returns the id of its delivery."""
    cursor = await conn.execute(
        """
        insert into webhook_delivery (endpoint_id, event_id, type, created_at, due_at)
        values (%(endpoint)s, gen_random_uuid(), %(type)s, %(now)s, %(now)s) returning id
        """,
        {"endpoint": endpoint_id, "type": TEST, "now": now},
    )
    return (await one_row(cursor))[0]


async def find_delivery(conn: Connection, scope: UUID, endpoint_id: UUID, delivery_id: int) -> bytes | None:
    """As JSON; None: the organisation's endpoint has no such delivery."""
    cursor = await conn.execute(
        f"""
        select {_DELIVERY} from webhook_delivery d join webhook_endpoint w on w.id = d.endpoint_id
        where d.id = %s and w.id = %s and w.organisation_id = %s
        """,
        [delivery_id, endpoint_id, scope],
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def give_up(conn: Connection, delivery_id: int, detail: str, now: datetime) -> None:
    """A delivery whose event is not kept any more."""
    await conn.execute(
        "update webhook_delivery set due_at = null, attempted_at = %s, detail = %s where id = %s",
        [now, detail, delivery_id],
    )


def deliveries_of(scope: UUID, endpoint_id: UUID) -> ListQuery:
    """The log of an endpoint, oldest first; no row at all if the organisation has no such endpoint."""
    return ListQuery(
        f"""
        select coalesce(d.id, 0), case when d.id is not null then {_DELIVERY} end
        from webhook_endpoint w left join webhook_delivery d
            on d.endpoint_id = w.id and (%(after)s::bigint is null or d.id > %(after)s)
        where w.id = %(endpoint)s and w.organisation_id = %(scope)s order by d.id limit %(limit)s
        """,
        {"scope": scope, "endpoint": endpoint_id},
    )


async def replay(
    conn: Connection,
    scope: UUID,
    endpoint_id: UUID,
    now: datetime,
    *,
    delivery_id: int | None = None,
    since: datetime | None = None,
    failed_only: bool = False,
) -> int | None:
    """Makes deliveries due again: one, or those made since a time. Returns their number. None: the organisation has no
    such endpoint."""
    cursor = await conn.execute(
        """
        with w as (
            select id from webhook_endpoint where id = %(endpoint)s and organisation_id = %(scope)s
        ), d as (
            update webhook_delivery d set due_at = %(now)s, attempts = 0, delivered_at = null from w
            where d.endpoint_id = w.id and (d.id = %(delivery)s or d.created_at >= %(since)s)
                and (not %(failed)s or (d.delivered_at is null and d.due_at is null))
            returning d.id
        )
        select (select count(*) from d) from w
        """,
        {
            "endpoint": endpoint_id,
            "scope": scope,
            "now": now,
            "delivery": delivery_id,
            "since": since,
            "failed": failed_only,
        },
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def delete_old(conn: Connection, before: datetime, most: int) -> int:
    """Deletes the oldest `most` deliveries of before a time. Returns their number."""
    cursor = await conn.execute(
        """
        with oldest as (
            select id from webhook_delivery where created_at < %s order by created_at limit %s
        )
        delete from webhook_delivery d using oldest o where d.id = o.id
        """,
        [before, most],
    )
    return cursor.rowcount


async def due_count(conn: Connection, now: datetime) -> tuple[int, datetime | None]:
    """How many deliveries of endpoints that are not disabled are due, and since when the oldest of them is."""
    cursor = await conn.execute(
        """
        select count(*), min(d.due_at) from webhook_delivery d join webhook_endpoint w on w.id = d.endpoint_id
        where d.due_at <= %s and w.disabled_at is null
        """,
        [now],
    )
    return await one_row(cursor)

"""Sends events to endpoints. One job of an endpoint at a time, and not for long: then it is the turn of others."""

import json
import logging
import random
from datetime import datetime
from pathlib import Path
from time import monotonic
from uuid import UUID

from tonnage import sealing
from tonnage.access.actor import Kind
from tonnage.db import Connection, Database
from tonnage.events.event_feed import FeedReader
from tonnage.events.queries import find_event
from tonnage.jobs import defer, lock_key
from tonnage.jobs.queries import active_locks
from tonnage.public_http import NoReply, UrlRefused
from tonnage.services import Services
from tonnage.webhooks import delivery_queries, queries
from tonnage.webhooks.delivery import KEPT, DeliveryAttempt, DueDelivery, next_attempt
from tonnage.webhooks.endpoint import TEST, SendingEndpoint
from tonnage.webhooks.signature import signed_headers

_log = logging.getLogger(__name__)

_EVENTS_AT_ONCE = 2_000
_ENDPOINTS_AT_ONCE = 10_000
_IN_A_RUN = 50
"""Deliveries of a run of the job; and the seconds after which it ends early."""
_LONGEST_RUN = 20.0
_DELETED_AT_ONCE = 5_000
_USER_AGENT = "Tonnage webhooks"


async def queue_deliveries(database: Database, now: datetime) -> None:
    """Makes deliveries of new events, and defers the jobs of endpoints that have some to send."""
    while (await database.run(delivery_queries.make_deliveries, _EVENTS_AT_ONCE, now))[0] == _EVENTS_AT_ONCE:
        pass
    due = await database.run(delivery_queries.endpoints_due, now, _ENDPOINTS_AT_ONCE)
    # One that has a job waits for that: this is asked every few seconds.
    locks = [lock_key("webhooks.deliver", one) for one in due]
    active = await database.run(active_locks, locks) if locks else set[str]()
    for endpoint_id in due:
        if lock_key("webhooks.deliver", endpoint_id) not in active:
            await database.run(defer, "webhooks.deliver", endpoint_id)


async def deliver(services: Services, endpoint_id: UUID) -> None:
    """Sends what is due to an endpoint, the longest waiting first. What is still due then is sent by another run, after
    the jobs of other endpoints that wait."""
    database, ends = services.database, monotonic() + _LONGEST_RUN
    for _ in range(_IN_A_RUN):
        # Read anew each time: it may have been changed or disabled, by an answer of its own too.
        endpoint = await database.run(queries.sending_endpoint, endpoint_id)
        if endpoint is None or services.key_file is None:
            return
        due = await database.run(delivery_queries.due_deliveries, endpoint_id, services.wall_clock(), 1)
        if not due:
            return
        await _send(services, services.key_file, endpoint, due[0])
        if monotonic() > ends:
            break
    if await database.run(delivery_queries.due_deliveries, endpoint_id, services.wall_clock(), 1):
        await database.run(defer, "webhooks.deliver", endpoint_id)


async def _send(services: Services, key_file: Path, endpoint: SendingEndpoint, delivery: DueDelivery) -> None:
    database, now = services.database, services.wall_clock()
    body = await _body(database, endpoint, delivery)
    if body is None:
        await database.run(delivery_queries.give_up, delivery.id, "The event is not kept any more.", now)
        return
    shared, private_key = await database.run(_secrets, key_file, endpoint)
    signed = signed_headers(str(delivery.event_id), now, body, shared, private_key)
    headers = {**signed, "Content-Type": "application/json", "User-Agent": _USER_AGENT}
    began, status, detail = monotonic(), None, ""
    try:
        status, detail = await services.public_http.post(endpoint.url, body, headers)
    except (UrlRefused, NoReply) as error:
        detail = str(error)
    attempt = DeliveryAttempt(now, round((monotonic() - began) * 1000), status, detail)
    due_at = next_attempt(delivery.attempts + 1, services.wall_clock(), random.random())  # noqa: S311  not a secret
    await database.transaction(_store, endpoint.id, delivery, attempt, due_at)


async def _store(
    conn: Connection, endpoint_id: UUID, delivery: DueDelivery, attempt: DeliveryAttempt, due_at: datetime | None
) -> None:
    disabled = await delivery_queries.store_attempt(conn, endpoint_id, delivery, attempt, due_at)
    if disabled is not None:
        reason, entry = disabled
        _log.warning("the webhook %s was disabled: %s", endpoint_id, reason)
        await defer(conn, "notices.notify", entry)


async def _body(database: Database, endpoint: SendingEndpoint, delivery: DueDelivery) -> bytes | None:
    if delivery.type == TEST:
        return json.dumps(
            {
                "id": str(delivery.event_id),
                "type": TEST,
                "timestamp": f"{delivery.created_at:%Y-%m-%dT%H:%M:%S.000Z}",
                "data": {"organisationId": str(endpoint.organisation_id)},
            }
        ).encode()
    reader = FeedReader(endpoint.organisation_id, Kind(endpoint.kind))
    event = await database.run(find_event, reader, delivery.event_id)
    return event.body if event else None


async def _secrets(conn: Connection, key_file: Path, endpoint: SendingEndpoint) -> tuple[list[str], bytes]:
    """The shared secrets, the newest first, and the private key. LookupError: one is missing."""
    found = [await sealing.fetch(conn, key_file, f"webhook/{secret_id}") for secret_id in endpoint.secret_ids]
    private_key = await sealing.fetch(conn, key_file, f"webhook-key/{endpoint.id}")
    if private_key is None or None in found:
        raise LookupError(f"a secret of the webhook {endpoint.id} is missing")
    return [secret.decode() for secret in found if secret is not None], private_key


async def delete_old(database: Database, now: datetime) -> None:
    """Deletes deliveries that are not kept any more, in batches."""
    while await database.run(delivery_queries.delete_old, now - KEPT, _DELETED_AT_ONCE) == _DELETED_AT_ONCE:
        pass

"""Endpoints of webhooks: created, changed, their secrets. The actor is an admin of the organisation itself."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from tonnage.access.actor import Actor, Role
from tonnage.db import Connection
from tonnage.db.rendered import Versioned, with_member
from tonnage.error_codes import ConflictCode
from tonnage.errors import Conflict, Invalid, PreconditionFailed
from tonnage.events.event_feed import FeedReader
from tonnage.jobs import defer
from tonnage.public_http import UrlRefused, read_url
from tonnage.sealing import discard, read_keys, store
from tonnage.services import Services
from tonnage.webhooks import delivery_queries, queries
from tonnage.webhooks.endpoint import MOST_ENDPOINTS, EndpointChange, no_delivery, no_endpoint
from tonnage.webhooks.signature import new_private_key, new_secret, public_key_text

SECRET = "secretKey"  # noqa: S105  the name of a field
"""The field of a response with a new secret, which is shown only there."""

_NO_KEY = "Secrets are stored encrypted. Set TONNAGE_SECRET_KEY_FILE, and see `tonnage secret create`."


def _require_valid(services: Services, actor: Actor, change: EndpointChange) -> None:
    """Invalid: an address that nothing is sent to, or a type that the organisation cannot see."""
    if change.url is not None:
        try:
            read_url(change.url, services.public_http.networks)
        except UrlRefused as error:
            raise Invalid.field("url", str(error)) from None
    change.require_types(set(FeedReader.of(actor).types()))


class WithSecret(NamedTuple):
    """An endpoint with a new secret, which is not shown again."""

    id: UUID
    secret: str
    json: bytes
    """The endpoint, with the secret."""


async def create_endpoint(
    conn: Connection, services: Services, actor: Actor, change: EndpointChange, now: datetime
) -> WithSecret:
    """A new endpoint. In the caller's transaction.

    Invalid. Conflict: the organisation has the greatest number of them, or secrets cannot be sealed.
    """
    actor.require(actor.kind, Role.ADMIN)
    _require_valid(services, actor, change)
    scope = actor.organisation_id
    if await queries.hold_organisation(conn, scope) >= MOST_ENDPOINTS:
        raise Conflict(
            "The organisation has the greatest number of webhooks, {limit}. Delete one first.",
            ConflictCode.TOO_MANY_WEBHOOKS,
            limit=MOST_ENDPOINTS,
        )
    private_key = new_private_key()
    endpoint_id = await queries.insert_endpoint(conn, scope, change, public_key_text(private_key), now, actor.stamp)
    await _seal(conn, services, f"webhook-key/{endpoint_id}", private_key)
    secret = await _new_secret(conn, services, actor, endpoint_id, now, is_first=True)
    found = await queries.find_endpoint(conn, scope, endpoint_id)
    if secret is None or found is None:
        raise AssertionError("the transaction has just made it")
    await queries.save_result(conn, found.json, actor.stamp, sealed_secret=_sealed(services, actor, secret))
    return WithSecret(endpoint_id, secret, with_member(found.json, SECRET, secret))


async def find(conn: Connection, actor: Actor, endpoint_id: UUID) -> Versioned:
    """NotFound."""
    found = await queries.find_endpoint(conn, actor.organisation_id, endpoint_id)
    if found is None:
        raise no_endpoint(endpoint_id)
    return found


async def change_endpoint(
    conn: Connection,
    services: Services,
    actor: Actor,
    endpoint_id: UUID,
    change: EndpointChange,
    now: datetime,
    *,
    revision: int | None = None,
) -> Versioned:
    """The endpoint after the change. NotFound, Invalid. PreconditionFailed: it is not in the given `revision`."""
    actor.require(actor.kind, Role.ADMIN)
    _require_valid(services, actor, change)
    changed = await queries.update_endpoint(
        conn, actor.organisation_id, endpoint_id, change, revision, now, actor.stamp
    )
    if changed is None:
        raise PreconditionFailed(*await find(conn, actor, endpoint_id))
    return changed


async def delete_endpoint(conn: Connection, actor: Actor, endpoint_id: UUID, *, revision: int | None = None) -> None:
    """With its deliveries and secrets. In the caller's transaction. NotFound. PreconditionFailed: it is not in the
    given `revision`."""
    actor.require(actor.kind, Role.ADMIN)
    names = await queries.delete_endpoint(conn, actor.organisation_id, endpoint_id, revision, actor.stamp)
    if names is None:
        raise PreconditionFailed(*await find(conn, actor, endpoint_id))
    for name in names:
        await discard(conn, name)


async def add_secret(
    conn: Connection, services: Services, actor: Actor, endpoint_id: UUID, now: datetime
) -> WithSecret:
    """A second secret: messages are signed with both. In the caller's transaction. NotFound. Conflict: it has two."""
    actor.require(actor.kind, Role.ADMIN)
    secret = await _new_secret(conn, services, actor, endpoint_id, now)
    if secret is None:
        raise no_endpoint(endpoint_id)
    found = await find(conn, actor, endpoint_id)
    await queries.save_result(conn, found.json, actor.stamp, sealed_secret=_sealed(services, actor, secret))
    return WithSecret(endpoint_id, secret, with_member(found.json, SECRET, secret))


async def _new_secret(
    conn: Connection, services: Services, actor: Actor, endpoint_id: UUID, now: datetime, *, is_first: bool = False
) -> str | None:
    """None: the organisation has no such endpoint."""
    is_there, secret_id = await queries.insert_secret(
        conn, actor.organisation_id, endpoint_id, now, actor.stamp, is_first=is_first
    )
    if not is_there:
        return None
    if secret_id is None:
        raise Conflict(
            "The webhook has two secrets, and no third one. Revoke the older one first.",
            ConflictCode.TOO_MANY_WEBHOOKS,
        )
    secret = new_secret()
    await _seal(conn, services, f"webhook/{secret_id}", secret.encode())
    return secret


async def revoke_secret(conn: Connection, actor: Actor, endpoint_id: UUID, secret_id: UUID) -> None:
    """One of two. In the caller's transaction. NotFound: there is none of that id, or it is the only one."""
    actor.require(actor.kind, Role.ADMIN)
    left = await queries.delete_secret(conn, actor.organisation_id, endpoint_id, secret_id, actor.stamp)
    if left is None:
        raise no_endpoint(endpoint_id)
    await discard(conn, f"webhook/{secret_id}")


async def send_test(conn: Connection, actor: Actor, endpoint_id: UUID, now: datetime) -> bytes:
    """The delivery of a test event as JSON, which a job sends. In the caller's transaction. NotFound."""
    actor.require(actor.kind, Role.ADMIN)
    await find(conn, actor, endpoint_id)
    delivery_id = await delivery_queries.insert_test(conn, endpoint_id, now)
    await queries.audit_test(conn, actor.organisation_id, endpoint_id, actor.stamp)
    await defer(conn, "webhooks.deliver", endpoint_id)
    found = await find_delivery(conn, actor, endpoint_id, delivery_id)
    await queries.save_result(conn, found, actor.stamp)
    return found


async def find_delivery(conn: Connection, actor: Actor, endpoint_id: UUID, delivery_id: int) -> bytes:
    """As JSON. NotFound."""
    found = await delivery_queries.find_delivery(conn, actor.organisation_id, endpoint_id, delivery_id)
    if found is None:
        raise no_delivery(delivery_id)
    return found


async def replay(
    conn: Connection,
    actor: Actor,
    endpoint_id: UUID,
    now: datetime,
    *,
    delivery_id: int | None = None,
    since: datetime | None = None,
    failed_only: bool = False,
) -> int:
    """Sends events again: one delivery, or those made since a time. Returns their number. In the caller's transaction.
    NotFound."""
    actor.require(actor.kind, Role.ADMIN)
    count = await delivery_queries.replay(
        conn, actor.organisation_id, endpoint_id, now, delivery_id=delivery_id, since=since, failed_only=failed_only
    )
    if count is None:
        raise no_endpoint(endpoint_id)
    if delivery_id is not None and count == 0:
        raise no_delivery(delivery_id)
    await queries.audit_replay(conn, actor.organisation_id, endpoint_id, count, actor.stamp)
    await defer(conn, "webhooks.deliver", endpoint_id)
    await queries.save_result(conn, f'{{"events": {count}}}'.encode(), actor.stamp)
    return count


async def _seal(conn: Connection, services: Services, name: str, secret: bytes) -> None:
    if services.key_file is None:
        raise Conflict(_NO_KEY, ConflictCode.NO_SECRET_KEY)
    await store(conn, services.key_file, name, secret)


def _sealed(services: Services, actor: Actor, secret: str) -> str | None:
    """For a repetition of the response to a request with an Idempotency-Key."""
    if actor.request is None or services.key_file is None:
        return None
    return read_keys(services.key_file).seal(secret.encode()).decode()

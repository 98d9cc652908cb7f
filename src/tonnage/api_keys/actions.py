"""Actions on API keys."""

from datetime import datetime
from uuid import UUID

from tonnage.access.actor import Actor, Role
from tonnage.api_keys import queries
from tonnage.api_keys.api_key import NewKey, new_key, no_key
from tonnage.api_keys.rate_limit import KeyLimit
from tonnage.config import DEFAULT_LIMITS, Limits
from tonnage.db import Connection
from tonnage.db.rendered import Rendered
from tonnage.error_codes import ConflictCode
from tonnage.errors import Conflict, EditConflict, Unauthenticated
from tonnage.jobs import defer
from tonnage.organisations.organisation import no_organisation, require_own
from tonnage.organisations.queries import hold_open_organisation
from tonnage.tokens import digest


async def create_key(
    conn: Connection,
    actor: Actor,
    organisation_id: UUID,
    details: NewKey,
    now: datetime,
    *,
    limits: Limits = DEFAULT_LIMITS,
) -> tuple[str, Rendered[UUID]]:
    """Returns the key, which is shown only once, and its facts. For an organisation's own admins and the operator.

    ReauthenticationRequired: for a key with the role admin. Invalid: its limit is too high. Conflict: the organisation
    has the greatest number of keys that work.
    """
    require_own(actor, organisation_id)
    details.limit.require(actor, limits.requests_per_second)
    if details.role is Role.ADMIN:
        actor.require_recent_authentication()
    key = new_key()
    creator_id = actor.via_id if actor.via == "member" else None
    async with conn.transaction():
        if not await hold_open_organisation(conn, organisation_id):
            raise no_organisation(organisation_id)
        made = await queries.insert_key(
            conn, organisation_id, creator_id, key, details, limits.api_keys, now, actor.stamp
        )
        if made is None:
            raise Conflict(
                "The organisation has the maximum number of API keys, {limit}. Revoke one first, or ask the operator "
                "for more.",
                ConflictCode.TOO_MANY_API_KEYS,
                limit=limits.api_keys,
            )
        facts, entry = made
        await defer(conn, "notices.notify", entry)
    return key, facts


async def actor_of_key(conn: Connection, key: str, now: datetime) -> Actor | None:
    """Whom a key authenticates; None: nobody."""
    known = await queries.find_key(conn, digest(key))
    try:
        return known.admit(now) if known else None
    except Unauthenticated:
        return None


async def limit_key(
    conn: Connection,
    actor: Actor,
    key_id: UUID,
    limit: KeyLimit,
    *,
    expected: KeyLimit | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> None:
    """Changes how often a key can be used, effective within a second. For its organisation's own admins and the
    operator. Invalid: the limit is too high.

    EditConflict: the limit is no longer as `expected`.
    """
    require_own(actor, actor.organisation_id)
    limit.require(actor, limits.requests_per_second)
    is_stale = await queries.limit_key(conn, actor.scope, key_id, limit, expected, actor.stamp)
    if is_stale is None:
        raise no_key(key_id)
    if is_stale:
        raise EditConflict


async def revoke_key(conn: Connection, actor: Actor, key_id: UUID, now: datetime) -> None:
    """Revokes a key of the actor's organisation or of one of its partners; as the operator, any key. Every process
    refuses it within a second. Revoking it again changes nothing.
    """
    require_own(actor, actor.organisation_id)
    async with conn.transaction():
        exists, entry = await queries.revoke_key(conn, actor.scope, key_id, now, actor.stamp)
        if not exists:
            raise no_key(key_id)
        if entry is not None:
            await defer(conn, "notices.notify", entry)

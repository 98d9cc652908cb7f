"""What can be done to organisations and API keys."""

from datetime import datetime
from uuid import UUID

from tonnage.access import key_queries, queries
from tonnage.access.actor import Actor, Kind, Role
from tonnage.access.keys import NewKey, new_key
from tonnage.db import Connection
from tonnage.errors import NotFound


async def create_distributor(
    conn: Connection, actor: Actor, name: str, now: datetime, *, distributor_id: UUID | None = None
) -> UUID:
    """The id of a new distributor."""
    actor.require(Kind.OPERATOR, Role.ADMIN)
    return await queries.insert_distributor(conn, distributor_id, name, now, actor.stamp)


async def create_key(
    conn: Connection, actor: Actor, organisation_id: UUID, details: NewKey, now: datetime
) -> tuple[str, bytes]:
    """The key, to be shown this once, and its facts as JSON. For an organisation's own admins and the operator."""
    require_own(actor, organisation_id)
    key = new_key()
    facts = await key_queries.insert_key(conn, organisation_id, key, details, now, actor.stamp)
    if facts is None:
        raise NotFound("There is no organisation {organisation}.", organisation=str(organisation_id))
    return key, facts


async def revoke_key(conn: Connection, actor: Actor, key_id: UUID, now: datetime) -> None:
    """Ends a key, on every process within a second. Doing it again changes nothing."""
    require_own(actor, actor.organisation_id)
    scope = None if actor.kind is Kind.OPERATOR else actor.organisation_id
    if not await key_queries.revoke_key(conn, scope, key_id, now, actor.stamp):
        raise NotFound("There is no API key {key}.", key=str(key_id))


def require_own(actor: Actor, organisation_id: UUID) -> None:
    """Its own team and keys are an organisation's admins' business, and the operator's."""
    if actor.kind is not Kind.OPERATOR and actor.organisation_id != organisation_id:
        raise NotFound("There is no organisation {organisation}.", organisation=str(organisation_id))
    actor.require(actor.kind, Role.ADMIN)


def no_partner(partner_id: UUID) -> NotFound:
    """The same words for a partner that never was, that is closed, and that is somebody else's."""
    return NotFound("There is no partner {partner} of yours.", partner=str(partner_id))

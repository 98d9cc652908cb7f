"""Actions on API keys."""

from datetime import datetime
from uuid import UUID

from tonnage.access.actor import Actor, Role
from tonnage.api_keys import queries
from tonnage.api_keys.api_key import NewKey, new_key
from tonnage.db import Connection
from tonnage.db.rendered import Rendered
from tonnage.errors import NotFound
from tonnage.organisations.organisation import no_organisation, require_own


async def create_key(
    conn: Connection, actor: Actor, organisation_id: UUID, details: NewKey, now: datetime
) -> tuple[str, Rendered[UUID]]:
    """Returns the key, which is shown only once, and its facts. For an organisation's own admins and the operator.

    ReauthenticationRequired: for a key with the role admin.
    """
    require_own(actor, organisation_id)
    if details.role is Role.ADMIN:
        actor.require_recent_authentication()
    key = new_key()
    facts = await queries.insert_key(conn, organisation_id, key, details, now, actor.stamp)
    if facts is None:
        raise no_organisation(organisation_id)
    return key, facts


async def revoke_key(conn: Connection, actor: Actor, key_id: UUID, now: datetime) -> None:
    """Revokes a key; every process refuses it within a second. Revoking it again changes nothing."""
    require_own(actor, actor.organisation_id)
    if not await queries.revoke_key(conn, actor.scope, key_id, now, actor.stamp):
        raise NotFound("There is no API key {key}.", key=str(key_id))

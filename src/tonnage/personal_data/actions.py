"""Copies of what is stored about a member or an organisation (GDPR, articles 15 and 20), and erasure (article 17).

For the operator, who answers such requests. A member is erased by being removed, a storage account by being purged.
"""

from uuid import UUID

from tonnage.access.actor import Actor, Kind, Role
from tonnage.db import Connection
from tonnage.error_codes import ConflictCode
from tonnage.errors import Conflict
from tonnage.members.actions import find_member
from tonnage.organisations.organisation import no_organisation
from tonnage.personal_data import queries

ERASED = "Erased"
"""Stands for every name that was erased."""


async def begin_member_copy(conn: Connection, actor: Actor, email: str) -> UUID:
    """Returns the id of the member, whose audit log then says that its data were copied. NotFound."""
    actor.require(Kind.OPERATOR, Role.ADMIN)
    organisation_id, member_id = await find_member(conn, email)
    await queries.record_member_copy(conn, organisation_id, member_id, actor.stamp)
    return member_id


async def begin_organisation_copy(conn: Connection, actor: Actor, organisation_id: UUID) -> None:
    """Writes into the organisation's audit log that its data were copied. NotFound; closed ones are found too."""
    actor.require(Kind.OPERATOR, Role.ADMIN)
    if not await queries.record_organisation_copy(conn, organisation_id, actor.stamp):
        raise no_organisation(organisation_id)


async def erase_organisation(conn: Connection, actor: Actor, organisation_id: UUID) -> None:
    """Erases the names and texts of a closed organisation and of its partners; terms and usage stay, without names.
    NotFound. Conflict: it is open.
    """
    actor.require(Kind.OPERATOR, Role.ADMIN)
    if not await queries.erase(conn, organisation_id, ERASED, actor.stamp):
        if await queries.is_open(conn, organisation_id) is None:
            raise no_organisation(organisation_id)
        raise Conflict(
            "The organisation is open. Close it first: nothing of an organisation that works can be erased.",
            ConflictCode.ORGANISATION_OPEN,
        )

"""Rules about whose organisation is whose."""

from uuid import UUID

from tonnage.access.actor import Actor, Kind, Role
from tonnage.errors import NotFound


def require_own(actor: Actor, organisation_id: UUID) -> None:
    """Its own team and keys are an organisation's admins' business, and the operator's."""
    if actor.kind is not Kind.OPERATOR and actor.organisation_id != organisation_id:
        raise NotFound("There is no organisation {organisation}.", organisation=str(organisation_id))
    actor.require(actor.kind, Role.ADMIN)


def no_partner(partner_id: UUID) -> NotFound:
    """The same words for a partner that never was, that is closed, and that is somebody else's."""
    return NotFound("There is no partner {partner} of yours.", partner=str(partner_id))

"""Rules about an organisation's own resources and about its partners."""

from uuid import UUID

from tonnage.access.actor import Actor, Kind, Role
from tonnage.errors import NotFound, Sentence


def require_own(actor: Actor, organisation_id: UUID) -> None:
    """Requires access to an organisation's own members and keys: only its own admins and the operator have it."""
    if actor.kind is not Kind.OPERATOR and actor.organisation_id != organisation_id:
        raise no_organisation(organisation_id)
    actor.require(actor.kind, Role.ADMIN)


def organisation_locked(reason: str) -> Sentence:
    """For the members and API keys of a locked organisation."""
    return Sentence("The access of your organisation is locked. Reason: {reason}", reason=reason)


def no_organisation(organisation_id: UUID) -> NotFound:
    """The organisation does not exist, is closed, or is out of scope: the same message for all three."""
    return NotFound("There is no organisation {organisation}.", organisation=str(organisation_id))


def no_distributor(distributor_id: UUID) -> NotFound:
    """For the operator: the distributor does not exist, is closed, or is another organisation."""
    return NotFound("There is no distributor {distributor}.", distributor=str(distributor_id))


def no_partner(partner_id: UUID) -> NotFound:
    """The same message for a partner that does not exist, that is closed, and that is out of scope."""
    return NotFound("There is no partner {partner}.", partner=str(partner_id))

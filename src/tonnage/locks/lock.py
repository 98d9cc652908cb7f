"""The lock of an organisation: its members cannot sign in, and its API keys do not work. Its data is not touched."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from tonnage.access.actor import Actor, Kind


class OrganisationLock(NamedTuple):
    """Whether an organisation is locked. If it is not, all but its name is None."""

    organisation: str
    """The organisation's name."""
    locked_at: datetime | None
    locked_by_id: UUID | None
    """The operator, or the distributor of a partner."""
    locked_by: str | None
    """The present name of that organisation."""
    reason: str | None

    def is_of_another(self, actor: Actor) -> bool:
        """Whether the operator has locked the organisation, and the actor is its distributor: the operator's decision
        stands above the distributor's.
        """
        return self.locked_by_id not in {None, actor.organisation_id} and actor.kind is not Kind.OPERATOR

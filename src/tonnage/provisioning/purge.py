"""Purging storage accounts whose date has come."""

from typing import NamedTuple
from uuid import UUID


class Freed(NamedTuple):
    """An account is gone, and what it had of its partner's allocation is free."""

    partner_id: UUID
    makes_room: bool
    """Whether other accounts of the partner on clusters may have more room now."""

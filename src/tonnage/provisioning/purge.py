"""The purge of storage accounts that are due."""

from typing import NamedTuple
from uuid import UUID


class Freed(NamedTuple):
    """An account was purged, and its share of the partner's allocation freed."""

    partner_id: UUID
    frees_capacity: bool
    """Whether the quotas of the partner's other accounts on clusters may grow."""

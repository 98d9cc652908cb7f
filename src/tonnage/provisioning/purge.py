"""The purge of storage accounts that are due."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from tonnage.storage.backend import ClusterUser


class DueAccount(NamedTuple):
    """An account whose deletion is due. `started`: its purge has begun and is not finished."""

    user: ClusterUser
    due: datetime
    started: bool

    @property
    def account_id(self) -> int:
        """The account's number."""
        return self.user.account_id


class Freed(NamedTuple):
    """An account was purged, and its share of the partner's allocation freed."""

    partner_id: UUID
    frees_capacity: bool
    """Whether the quotas of the partner's other accounts on clusters may grow."""

"""The scheduled deletion of a storage account."""

from datetime import datetime
from typing import NamedTuple

from tonnage.db.rendered import Versioned


class Deletion(NamedTuple):
    """The result of setting another date."""

    refused: bool
    """The date stays unchanged."""
    purging: bool
    """The purge has started, so any other date is refused."""
    earliest: datetime
    """The first request plus the grace period."""
    cluster: int | None
    """The region, if there is a cluster to which the change must be applied."""
    account: Versioned
    """After the statement."""


class Scheduled(NamedTuple):
    """The account exists and is scheduled for deletion."""

    cluster: int | None
    """The region, if the account was not scheduled before and there is a cluster to which the change must be applied.
    """

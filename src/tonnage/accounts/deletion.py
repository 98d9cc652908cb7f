"""When a storage account is to be deleted."""

from datetime import datetime
from typing import NamedTuple


class Deletion(NamedTuple):
    """What the database decided about another date."""

    refused: bool
    """The date stays as it was."""
    purging: bool
    """The purge has started: then every other date is refused."""
    earliest: datetime
    """The first request and its grace."""
    cluster: int | None
    """The region, if there is a cluster that must hear of what was changed."""
    account: bytes
    """As JSON, after the statement."""


class Scheduled(NamedTuple):
    """There is such an account, and it waits for its deletion."""

    cluster: int | None
    """The region, if it did not wait yet and there is a cluster that must hear of it."""

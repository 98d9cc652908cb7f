"""What a change of a storage account did."""

from typing import NamedTuple


class Changed(NamedTuple):
    """How an account is after a statement, and who has to hear of it."""

    too_late: bool
    """The purge has started."""
    cluster: int | None
    """The region, if there is a cluster that must hear of what was changed."""
    makes_room: bool
    """Whether other accounts of the partner may have more or less room now."""
    account: bytes
    """As JSON, whole."""
    stale: list[str]
    """Fields that are neither as expected nor as they are to be; if there are any, nothing was changed."""

"""The result of a change of a storage account."""

from typing import NamedTuple

from tonnage.db.rendered import Versioned


class Changed(NamedTuple):
    """An account after a statement, and what has to be reconciled."""

    too_late: bool
    """The purge has started."""
    cluster: int | None
    """The region, if there is a cluster to which the change must be applied."""
    frees_capacity: bool
    """Whether the quotas of the partner's other accounts may change."""
    stale: bool
    """A field is neither as expected nor as requested, so nothing was changed."""
    account: Versioned
    """With all fields."""

"""The drift that a comparison of a cluster with the database can find."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Drift:
    """One difference between the cluster and the database."""

    subject: str
    """`storage account 123456789012`, or an access key of it."""
    description: str
    """The difference, as a predicate that follows the subject."""
    remedy: str
    """The repair, as a participle: made, changed, purged, forgotten; or left, for the operator to decide."""
    repaired: bool = False
    """Whether the repair is done; always False in a dry run."""
    expected: bool = False
    """The only cause is a change that is not yet applied to the cluster."""


LEFT = "left"

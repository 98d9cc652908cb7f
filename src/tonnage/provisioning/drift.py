"""What a comparison of a cluster with the database may find."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Drift:
    """One thing that is not as it should be."""

    subject: str
    """`storage account 123456789012`, or an access key of it."""
    what: str
    """How it differs, in words that follow the subject."""
    remedy: str
    """What is done about it, as a participle: made, changed, purged, forgotten; or left, for people to decide."""
    repaired: bool = False
    """Whether that is done; never in a plan."""
    expected: bool = False
    """It is only that the cluster has not heard of a change yet."""


LEFT = "left"

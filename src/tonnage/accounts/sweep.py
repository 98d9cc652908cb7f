"""What a comparison of a cluster with the database may find."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it should be."""

    subject: str
    """`storage account 123456789012`, or an access key of it."""
    what: str
    """How it differs, in words that follow the subject."""
    repaired: bool
    """Whether that is over; else it is left, since nothing was to be changed or people have to decide."""
    expected: bool = False
    """It is only that the cluster has not heard of a change yet."""

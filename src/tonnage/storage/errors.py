"""Errors of storage backends. `Unavailable` itself: a retry may succeed."""

from tonnage.error_codes import ConflictCode, UnavailableCode
from tonnage.errors import Conflict, Unavailable


class Misconfigured(Unavailable):
    """A retry helps only after the operator has changed something: credentials, capabilities, address, clock.

    A subclass of `Unavailable`, because that is what it is to everybody else, and work that waits for the operator must
    not be lost. `cluster_code` is the cluster's error code, '' without one.
    """

    def __init__(self, message: str, cluster_code: str = "") -> None:
        super().__init__(message, UnavailableCode.CLUSTER_UNAVAILABLE)
        self.cluster_code = cluster_code


class BackendRefused(Conflict):
    """The cluster refused the request; a retry will be refused too. `cluster_code` is its error code."""

    def __init__(self, message: str, cluster_code: str) -> None:
        super().__init__(message, ConflictCode.CLUSTER_REFUSED)
        self.cluster_code = cluster_code


class NotReached(Unavailable):
    """A change failed before the cluster received it, or was refused; nothing of it was done. `reason`: the error."""

    def __init__(self, reason: Unavailable) -> None:
        super().__init__(str(reason), UnavailableCode.CLUSTER_UNAVAILABLE)
        self.reason = reason


class TooManyKeys(Conflict):
    """The account has the maximum number of access keys on the cluster; `access_keys` lists them."""

    def __init__(self, access_keys: tuple[str, ...]) -> None:
        super().__init__(
            "The account has {keys} access keys. Delete one of them first.",
            ConflictCode.TOO_MANY_ACCESS_KEYS,
            keys=len(access_keys),
        )
        self.access_keys = access_keys


class NotProvisioned(Unavailable):
    """The account is not on the cluster: not yet, or it was removed there by other means. Reconciliation creates it."""

    def __init__(self, message: str) -> None:
        super().__init__(message, UnavailableCode.NOT_PROVISIONED)


def metered_only() -> Conflict:
    """The error for access keys in a region without a cluster."""
    return Conflict(
        "The region of this account is metered only. Its access keys are created on the cluster itself.",
        ConflictCode.METERED_ONLY,
    )

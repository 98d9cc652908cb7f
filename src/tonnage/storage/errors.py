"""Errors of storage backends. `Unavailable` itself: a retry may succeed."""

from tonnage.errors import Conflict, Unavailable


class Misconfigured(Unavailable):
    """A retry helps only after the operator has changed something: credentials, capabilities, address, clock.

    A subclass of `Unavailable`, because that is what it is to everybody else, and work that waits for the operator must
    not be lost. `code` is the cluster's error code, '' without one.
    """

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class BackendRefused(Conflict):
    """The cluster refused the request; a retry will be refused too. `code` is the cluster's error code."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code


class NotReached(Unavailable):
    """A change failed before the cluster received it, or was refused; nothing of it was done. `reason`: the error."""

    def __init__(self, reason: Unavailable) -> None:
        super().__init__(str(reason))
        self.reason = reason


class TooManyKeys(Conflict):
    """The account has the maximum number of access keys on the cluster; `access_keys` lists them."""

    def __init__(self, access_keys: tuple[str, ...]) -> None:
        super().__init__(f"The account has {len(access_keys)} access keys. Delete one of them first.")
        self.access_keys = access_keys


class NotProvisioned(Unavailable):
    """The account is not on the cluster: not yet, or it was removed there by other means. Reconciliation creates it."""

"""What a storage plane may answer beyond success. `Unavailable` itself: the cluster may do it later."""

from tonnage.errors import Conflict, Unavailable


class Misconfigured(Unavailable):
    """Trying again helps only after the operator has changed something: credentials, capabilities, address, clock.

    It is an `Unavailable`, because to everybody else that is what it looks like, and work that waits for the operator
    must not be lost. `code` is the cluster's own word, '' without one.
    """

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class PlaneRefused(Conflict):
    """The cluster understood, and said no: the same call will be refused again. `code` is the cluster's own word."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code


class NotProvisioned(Unavailable):
    """The account is not on the cluster: not yet, or somebody has removed it there. Reconciliation brings it."""

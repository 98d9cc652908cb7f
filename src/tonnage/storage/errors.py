"""What a storage backend may answer beyond success. `Unavailable` itself: the cluster may do it later."""

from tonnage.errors import Conflict, Unavailable


class Misconfigured(Unavailable):
    """Trying again helps only after the operator has changed something: credentials, capabilities, address, clock.

    It is an `Unavailable`, because to everybody else that is what it looks like, and work that waits for the operator
    must not be lost. `code` is the cluster's own word, '' without one.
    """

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class BackendRefused(Conflict):
    """The cluster understood, and said no: the same call will be refused again. `code` is the cluster's own word."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code


class NotReached(Unavailable):
    """A change failed before the cluster was asked for it, or was refused: nothing of it is there. `reason`: why."""

    def __init__(self, reason: Unavailable) -> None:
        super().__init__(str(reason))
        self.reason = reason


class TooManyKeys(Conflict):
    """The account has on the cluster as many access keys as it may; `access_keys` are these."""

    def __init__(self, access_keys: tuple[str, ...]) -> None:
        super().__init__(f"The account has {len(access_keys)} access keys; delete one of them first.")
        self.access_keys = access_keys


class NotProvisioned(Unavailable):
    """The account is not on the cluster: not yet, or somebody has removed it there. Reconciliation brings it."""

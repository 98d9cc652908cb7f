"""The metered-only backend: there is no cluster, and usage is imported."""

from collections.abc import AsyncIterator, Mapping
from datetime import datetime

from tonnage.storage.backend import (
    AccessKey,
    ActualAccount,
    BackendReport,
    ClusterUser,
    DesiredAccount,
    ListedUser,
    Traffic,
    UnmanagedUser,
    Usage,
)
from tonnage.storage.errors import metered_only

_FACT = ("backend", "metered only: nothing is provisioned or enforced, and usage is imported")


class MeteredBackend:
    """Provisions, enforces and deletes nothing: the party that imports the usage also manages the accounts."""

    bucket = None
    """There is no cluster to store anything on."""

    async def check(self) -> BackendReport:
        """Always ready for use; reports that it is metered only."""
        return BackendReport(reachable=True, credentials=True, facts=(_FACT,))

    async def apply(self, desired: DesiredAccount) -> tuple[str, ...]:
        """No-op; nothing has changed."""
        return ()

    async def state(self, user: ClusterUser) -> ActualAccount | None:
        """Always None: not known here."""
        return None

    async def accounts(self) -> AsyncIterator[int]:
        """Empty: none are known here."""
        for account_id in ():
            yield account_id

    async def users(self) -> AsyncIterator[ListedUser]:
        """Empty: none are known here."""
        for user in ():
            yield user

    async def unmanaged_user(self, uid: str) -> UnmanagedUser | None:
        """Always None: not known here."""
        return None

    async def usage(self, user: ClusterUser) -> Usage | None:
        """Always None: usage is imported."""
        return None

    async def traffic(self, since: datetime, until: datetime, adopted: Mapping[str, int]) -> AsyncIterator[Traffic]:
        """Empty: not known here."""
        for hour in ():
            yield hour

    async def trim_traffic(self, user: ClusterUser, before: datetime) -> None:
        """No-op."""

    async def keys(self, user: ClusterUser) -> tuple[str, ...]:
        """Empty: none are known here."""
        return ()

    async def create_key(self, user: ClusterUser, access_key: str) -> AccessKey:
        """Always Conflict: the party that manages the accounts also issues their keys."""
        raise metered_only()

    async def delete_key(self, user: ClusterUser, access_key: str) -> None:
        """No-op."""

    async def purge(self, user: ClusterUser) -> None:
        """No-op."""

    async def close(self) -> None:
        """No-op."""

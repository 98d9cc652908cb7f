"""The metered-only backend: there is no cluster, and usage is imported."""

from collections.abc import AsyncIterator
from datetime import datetime

from tonnage.errors import Conflict
from tonnage.storage.backend import AccessKey, ActualAccount, BackendReport, DesiredAccount, Traffic, Usage

_FACT = ("backend", "metered only: nothing is provisioned or enforced, and usage is imported")


class MeteredBackend:
    """Provisions, enforces and deletes nothing: the party that imports the usage also manages the accounts."""

    async def check(self) -> BackendReport:
        """Always ready for use; reports that it is metered only."""
        return BackendReport(reachable=True, credentials=True, facts=(_FACT,))

    async def apply(self, desired: DesiredAccount) -> tuple[str, ...]:
        """No-op; nothing has changed."""
        return ()

    async def state(self, account_id: int) -> ActualAccount | None:
        """Always None: not known here."""
        return None

    async def accounts(self) -> AsyncIterator[int]:
        """Empty: none are known here."""
        for account_id in ():
            yield account_id

    async def usage(self, account_id: int) -> Usage | None:
        """Always None: usage is imported."""
        return None

    async def traffic(self, since: datetime, until: datetime) -> AsyncIterator[Traffic]:
        """Empty: not known here."""
        for hour in ():
            yield hour

    async def trim_traffic(self, account_id: int, before: datetime) -> None:
        """No-op."""

    async def keys(self, account_id: int) -> tuple[str, ...]:
        """Empty: none are known here."""
        return ()

    async def create_key(self, account_id: int, access_key: str) -> AccessKey:
        """Always Conflict: the party that manages the accounts also issues their keys."""
        raise Conflict("The region of this account is metered only. Its access keys are created on the cluster itself.")

    async def delete_key(self, account_id: int, access_key: str) -> None:
        """No-op."""

    async def purge(self, account_id: int) -> None:
        """No-op."""

    async def close(self) -> None:
        """No-op."""

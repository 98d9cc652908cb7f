"""The metered-only backend: there is no cluster to talk to, usage is imported."""

from collections.abc import AsyncIterator
from datetime import datetime

from tonnage.errors import Conflict
from tonnage.storage.backend import AccessKey, ActualAccount, BackendReport, DesiredAccount, Traffic, Usage

_FACT = ("backend", "metered only: nothing is provisioned or enforced, and usage is imported")


class MeteredBackend:
    """Has nothing to provision, to enforce or to remove: whoever imports the usage also runs the accounts."""

    enforces = False

    async def check(self) -> BackendReport:
        """Always fit for use, and says how little that is."""
        return BackendReport(reachable=True, credentials=True, facts=(_FACT,))

    async def apply(self, desired: DesiredAccount) -> tuple[str, ...]:
        """Nothing to do here, so nothing has changed."""
        return ()

    async def state(self, account_id: int) -> ActualAccount | None:
        """Not known here."""
        return None

    async def accounts(self) -> AsyncIterator[int]:
        """None are known here."""
        for account_id in ():
            yield account_id

    async def usage(self, account_id: int) -> Usage | None:
        """Not known here: it is imported."""
        return None

    async def traffic(self, since: datetime, until: datetime) -> AsyncIterator[Traffic]:
        """Not known here."""
        for hour in ():
            yield hour

    async def trim_traffic(self, account_id: int, before: datetime) -> None:
        """Nothing to do here."""

    async def keys(self, account_id: int) -> tuple[str, ...]:
        """None are known here."""
        return ()

    async def create_key(self, account_id: int, access_key: str) -> AccessKey:
        """Conflict, always: whoever runs the accounts also hands out their keys."""
        raise Conflict("The region of this account is metered only; its access keys are made on the cluster itself.")

    async def delete_key(self, account_id: int, access_key: str) -> None:
        """Nothing to do here."""

    async def purge(self, account_id: int) -> None:
        """Nothing to do here."""

    async def close(self) -> None:
        """Nothing to do here."""

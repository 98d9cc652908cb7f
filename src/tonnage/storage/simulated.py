"""The simulated backend of a sandbox: it keeps users, quotas and keys as a cluster would, and makes usage by itself."""

import secrets
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from psycopg.errors import ForeignKeyViolation

from tonnage.db import Database
from tonnage.storage import simulated_queries
from tonnage.storage.backend import (
    MAX_ACCESS_KEYS,
    AccessKey,
    ActualAccount,
    BackendReport,
    ClusterUser,
    DesiredAccount,
    ListedUser,
    Traffic,
    UnmanagedUser,
    Usage,
    differences,
)
from tonnage.storage.errors import NotProvisioned, TooManyKeys
from tonnage.storage.simulated_queries import SimulatedUse
from tonnage.storage.simulated_usage import objects_of, simulated_bytes

_AT_ONCE = 1000


@dataclass(frozen=True)
class SimulatedBackend:
    """The simulated region of that id. There is no traffic, and no bucket of Tonnage's own."""

    database: Database
    region_id: int
    known: Mapping[int, Usage] | None = None
    """What all accounts store, read before."""

    bucket = None
    """There is no cluster to store anything on."""

    async def measured(self) -> "SimulatedBackend":
        """The same with the usage of all accounts at the present moment, in one statement for all."""
        found = await self.database.run(simulated_queries.levels, self.region_id)
        return SimulatedBackend(self.database, self.region_id, {one.account_id: _usage(one) for one in found})

    async def check(self) -> BackendReport:
        """Always ready for use; reports that it is simulated."""
        users = await self.database.run(simulated_queries.users, self.region_id)
        fact = ("backend", f"simulated: nothing is stored anywhere, usage is made up; {users} users")
        return BackendReport(reachable=True, credentials=True, facts=(fact,))

    async def apply(self, desired: DesiredAccount) -> tuple[str, ...]:
        """Makes the user as desired; returns what has changed."""
        changed = differences(desired, await self.state(desired.user))
        if changed:
            await self.database.run(simulated_queries.apply, self.region_id, desired)
        return changed

    async def state(self, user: ClusterUser) -> ActualAccount | None:
        """The user as it is; None if it does not exist."""
        return await self.database.run(simulated_queries.state, self.region_id, user.account_id)

    async def accounts(self) -> AsyncIterator[int]:
        """The accounts of all users."""
        async for some in self.database.pages(
            simulated_queries.account_ids, self.region_id, id_of=lambda one: one, size=_AT_ONCE
        ):
            for account_id in some:
                yield account_id

    async def users(self) -> AsyncIterator[ListedUser]:
        """All users."""
        async for account_id in self.accounts():
            yield ListedUser(str(account_id), account_id)

    async def unmanaged_user(self, uid: str) -> UnmanagedUser | None:
        """Always None: all users are those of accounts."""
        return None

    async def usage(self, user: ClusterUser) -> Usage | None:
        """The level that was set for the present day, else what is made up; None without a user."""
        if self.known is not None:
            return self.known.get(user.account_id)
        found = await self.database.run(simulated_queries.levels, self.region_id, user.account_id)
        return _usage(found[0]) if found else None

    async def traffic(self, since: datetime, until: datetime, adopted: Mapping[str, int]) -> AsyncIterator[Traffic]:
        """Empty: none is simulated."""
        for hour in ():
            yield hour

    async def trim_traffic(self, user: ClusterUser, before: datetime) -> None:
        """No-op."""

    async def keys(self, user: ClusterUser) -> tuple[str, ...]:
        """The access keys of the account."""
        found = await self.state(user)
        if found is None:
            raise _not_provisioned()
        return found.access_keys

    async def create_key(self, user: ClusterUser, access_key: str) -> AccessKey:
        """Creates a key; its secret opens nothing, and is not stored."""
        try:
            others = await self.database.transaction(
                simulated_queries.add_key, self.region_id, user.account_id, access_key, MAX_ACCESS_KEYS
            )
        except ForeignKeyViolation as error:
            raise _not_provisioned() from error
        if others is not None:
            raise TooManyKeys(tuple(others))
        return AccessKey(access_key, secrets.token_urlsafe(30))

    async def delete_key(self, user: ClusterUser, access_key: str) -> None:
        """Deletes the key; no-op when there is none."""
        await self.database.run(simulated_queries.delete_key, self.region_id, user.account_id, access_key)

    async def purge(self, user: ClusterUser) -> None:
        """Deletes the user and its keys."""
        await self.database.run(simulated_queries.delete, self.region_id, user.account_id)

    async def close(self) -> None:
        """No-op."""


def _usage(use: SimulatedUse) -> Usage:
    size = use.set_bytes
    if size is None:
        size = simulated_bytes(use.account_id, use.day)
        size = size if use.most is None else min(size, use.most)
    return Usage(size, objects_of(size))


def _not_provisioned() -> NotProvisioned:
    return NotProvisioned("The account is not in the simulated region yet. Try again in a few seconds.")

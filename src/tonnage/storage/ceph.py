"""The storage backend for Ceph clusters with RADOS gateways, over their Admin Ops API."""

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from tonnage.clock import WallClock
from tonnage.error_codes import UnavailableCode
from tonnage.errors import TonnageError, Unavailable
from tonnage.storage import ceph_account, ceph_check, ceph_traffic, ceph_users
from tonnage.storage.admin_ops import AdminOps, Timeouts
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
from tonnage.storage.ceph_account import user_id
from tonnage.storage.ceph_bucket import CephBucket
from tonnage.storage.ceph_errors import not_ceph
from tonnage.storage.errors import BackendRefused, Misconfigured, NotProvisioned, NotReached, TooManyKeys

_NEW_ACCESS_KEY = re.compile(r"[A-Z0-9]{16,128}")
_ACCESS_KEY = re.compile(r"[!-.0-~]{1,128}")
"""Of a key that was not created by Tonnage."""


class CephBackend:
    """Implements `StorageBackend`. `address`: the gateway's Admin Ops API; `key`: the access key of its admin user.

    The admin user needs only the capabilities `users=*` and `usage=*`.
    """

    def __init__(
        self,
        address: str,
        key: AccessKey,
        timeouts: Timeouts | None = None,
        *,
        clock: WallClock | None = None,
        page_size: int = 1000,
    ) -> None:
        self._ops = AdminOps(address, key, timeouts or Timeouts())
        self._clock = clock or WallClock()
        self._page_size = page_size
        self.bucket = CephBucket(self._ops, page_size)

    async def check(self) -> BackendReport:
        """As `StorageBackend.check`."""
        return await ceph_check.check(self._ops, self._clock)

    async def apply(self, desired: DesiredAccount) -> tuple[str, ...]:
        """As `StorageBackend.apply`."""
        actual = await self.state(desired.user)
        changes = differences(desired, actual)
        attributes = ceph_account.attributes(desired)
        if actual is None:
            await self._create(attributes)
        elif set(changes) - {"quota"}:
            await self._ops.call("POST", "user", attributes)
        if actual is None or "quota" in changes:
            await self._hold(desired, counted=actual is None or actual.quota_exact)
        return changes

    async def _create(self, attributes: dict[str, str]) -> None:
        # The account has no access keys yet, so nobody can use it before its quota is set.
        try:
            await self._ops.call("PUT", "user", {**attributes, "generate-key": "false"})
        except BackendRefused as error:
            if error.cluster_code != "UserAlreadyExists":
                raise
            # Another worker created it concurrently, or our first try succeeded and only its response was lost.
            await self._ops.call("POST", "user", attributes)

    async def _hold(self, desired: DesiredAccount, *, counted: bool) -> None:
        user = user_id(desired.user)
        if not counted:
            # While no quota was enabled the gateway's totals were minutes old, and enforcement would start from those.
            await self._ops.call("GET", "user", {"uid": user, "stats": "true", "sync": "true"})
        limit = ceph_account.quota(desired.write_limit)
        await self._ops.call("PUT", "user", {"quota": "", "uid": user, "quota-type": "user"}, body=limit)

    async def state(self, user: ClusterUser) -> ActualAccount | None:
        """As `StorageBackend.state`."""
        try:
            return await self._account(user)
        except NotProvisioned:
            return None

    async def _account(self, user: ClusterUser) -> ActualAccount:
        return ceph_account.actual(await self._ops.call("GET", "user", {"uid": user_id(user)}))

    async def accounts(self) -> AsyncIterator[int]:
        """As `StorageBackend.accounts`, in pages of 1,000."""
        async for user in self.users():
            if user.account_id is not None:
                yield user.account_id

    def users(self) -> AsyncIterator[ListedUser]:
        """As `StorageBackend.users`, in pages of 1,000."""
        return ceph_users.every(self._ops, self._page_size)

    async def unmanaged_user(self, uid: str) -> UnmanagedUser | None:
        """As `StorageBackend.unmanaged_user`. Counting its buckets needs the capability `buckets=read`."""
        return await ceph_users.described(self._ops, uid)

    async def usage(self, user: ClusterUser) -> Usage | None:
        """As `StorageBackend.usage`. Costs the cluster a read for each bucket, of which there are 100 at most."""
        try:
            return (await ceph_users.measured(self._ops, user_id(user)))[1]
        except NotProvisioned:
            return None

    def traffic(self, since: datetime, until: datetime, adopted: Mapping[str, int]) -> AsyncIterator[Traffic]:
        """As `StorageBackend.traffic`. The gateway writes its log every 30 seconds."""
        return ceph_traffic.read(self._ops, since, until, adopted)

    async def trim_traffic(self, user: ClusterUser, before: datetime) -> None:
        """As `StorageBackend.trim_traffic`."""
        await ceph_traffic.trim(self._ops, user, before)

    async def keys(self, user: ClusterUser) -> tuple[str, ...]:
        """As `StorageBackend.keys`."""
        return (await self._account(user)).access_keys

    async def create_key(self, user: ClusterUser, access_key: str) -> AccessKey:
        """As `StorageBackend.create_key`.

        The gateway generates the secret and returns it in the body of its response: a secret of ours would have to be
        in the URL, and the gateway logs URLs. Never two requests at once: the last one served sets the secret, and its
        response need not be the one that we receive.
        """
        if not _NEW_ACCESS_KEY.fullmatch(access_key):
            raise ValueError("an access key is 16 to 128 capital letters and digits")
        asked = {"key": "", **_key_parameters(user, access_key), "generate-key": "true"}
        sent = False
        try:
            async with _within(self._ops.timeouts.key):
                present = await self.keys(user)
                if len(present) >= MAX_ACCESS_KEYS and access_key not in present:
                    raise TooManyKeys(present)
                sent = True
                answer: Any = await self._ops.call("PUT", "user", asked, once=True)
        except NotProvisioned:
            raise
        except Unavailable as error:
            # Misconfigured with a code is a refusal by Ceph itself, so no key was created.
            if sent and not (isinstance(error, Misconfigured) and error.cluster_code):
                raise
            raise NotReached(error) from error
        made = next((key["secret_key"] for key in answer if key["access_key"] == access_key), None)
        if made is None:
            raise not_ceph("it does not name the key that it has created")
        return AccessKey(access_key, made)

    async def delete_key(self, user: ClusterUser, access_key: str) -> None:
        """As `StorageBackend.delete_key`."""
        asked = {"key": "", **_key_parameters(user, access_key)}
        async with _within(self._ops.timeouts.key):
            if not await self._has_key(user, access_key):
                return
            try:
                await self._ops.call("DELETE", "user", asked)
            except TonnageError:
                # For a missing key the gateway sends the same error code as for wrong admin credentials.
                if await self._has_key(user, access_key):
                    raise

    async def _has_key(self, user: ClusterUser, access_key: str) -> bool:
        account = await self.state(user)
        return account is not None and access_key in account.access_keys

    async def purge(self, user: ClusterUser) -> None:
        """As `StorageBackend.purge`. Ceph ignores object locks here; so do its own tools.

        The gateway deletes some hundred objects per second. After our time-out it continues, so the next purge finds
        less. While both run, one of them may find a bucket gone and answer 500, which is left to a later retry.
        """
        uid = user_id(user)
        try:
            # Disables its keys first, so that nothing is stored during the purge.
            await self._ops.call("POST", "user", {"uid": uid, "suspended": "true", "op-mask": "read"})
            await self._ops.call(
                "DELETE", "user", {"uid": uid, "purge-data": "true"}, once=True, read=self._ops.timeouts.purge
            )
        except NotProvisioned:
            return

    async def close(self) -> None:
        """As `StorageBackend.close`."""
        await self._ops.close()


def _key_parameters(user: ClusterUser, access_key: str) -> dict[str, str]:
    if not _ACCESS_KEY.fullmatch(access_key):
        raise ValueError("not an access key")
    return {"uid": user_id(user), "access-key": access_key}


@asynccontextmanager
async def _within(seconds: float) -> AsyncGenerator[None]:
    """Limits everything in the block to `seconds` in total; Unavailable after that."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        raise Unavailable(
            "The storage cluster did not answer in time. Try again later.", UnavailableCode.CLUSTER_UNAVAILABLE
        ) from error

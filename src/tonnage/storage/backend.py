"""The protocols of storage backends. Features depend on these only."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Protocol

from tonnage.email_address import email_key
from tonnage.storage.bucket import Bucket

MAX_BUCKETS = 100
MAX_ACCESS_KEYS = 10


class Access(StrEnum):
    """The access level of an account. Except under FULL nobody can write to it, not even a guest with grants of his
    own."""

    FULL = "full"
    READ_ONLY = "read-only"
    SUSPENDED = "suspended"


class ClusterUser(NamedTuple):
    """The user of a cluster that a storage account is."""

    account_id: int
    uid: str | None = None
    """The id of an adopted user, which was on the cluster before Tonnage; None: the user is named after the account."""


class ListedUser(NamedTuple):
    """A user of a cluster, from the list of all."""

    uid: str
    account_id: int | None
    """The account after which Tonnage has named it; None: it is another user, perhaps an adopted one."""


@dataclass(frozen=True)
class DesiredAccount:
    """The desired state of an account on its cluster. `quota` in bytes; None: no limit."""

    account_id: int
    display_name: str
    email: str
    quota: int | None
    access: Access = Access.FULL
    max_buckets: int = MAX_BUCKETS
    uid: str | None = None
    """As in ClusterUser."""

    @property
    def user(self) -> ClusterUser:
        """The user to apply it to."""
        return ClusterUser(self.account_id, self.uid)

    @property
    def write_limit(self) -> int | None:
        """The quota to enforce, bytes: 0 for an account that may not write."""
        return self.quota if self.access is Access.FULL else 0


@dataclass(frozen=True)
class ActualAccount:
    """The actual state of an account on its cluster."""

    display_name: str
    email: str
    max_buckets: int
    quota: int | None
    quota_exact: bool
    """The quota is enabled and exact to the byte, and nothing but bytes is limited."""
    access: Access | None
    """None: a combination that matches none of the three levels, and was not set by Tonnage."""
    access_keys: tuple[str, ...]


def differences(desired: DesiredAccount, actual: ActualAccount | None) -> tuple[str, ...]:
    """What `apply` would change, in words; `("account",)` for one that does not exist.

    E-mail addresses are compared by their keys, since clusters store them in lower case.
    """
    if actual is None:
        return ("account",)
    differs = {
        "display name": desired.display_name != actual.display_name,
        "e-mail": email_key(desired.email) != email_key(actual.email),
        "max buckets": desired.max_buckets != actual.max_buckets,
        "access": desired.access is not actual.access,
        "quota": desired.write_limit != actual.quota or not actual.quota_exact,
    }
    return tuple(name for name, is_so in differs.items() if is_so)


@dataclass(frozen=True)
class Usage:
    """What an account stores at present: logical bytes as its owner counts them, objects including all versions."""

    bytes: int
    objects: int


@dataclass(frozen=True)
class UnmanagedUser:
    """A user of a cluster as it is there, for the decision whether to adopt it."""

    uid: str
    account_id: int | None
    """The account after which Tonnage has named it; None: the user is not Tonnage's."""
    state: ActualAccount
    suspended: bool
    usage: Usage
    buckets: int | None
    """None: the region's credentials do not permit to count them."""
    obstacles: tuple[str, ...]
    """Sentences: why it cannot be a storage account as it is."""


@dataclass(frozen=True)
class Traffic:
    """The traffic of one account in one hour; `hour` is its start in UTC: bytes to and from clients, requests.

    A counter may still grow during its hour and shortly after. After a trim it may restart from zero. So of two
    readings of an hour, store the greater: that makes reading idempotent.
    """

    account_id: int
    hour: datetime
    sent: int
    received: int
    requests: int


@dataclass(frozen=True)
class AccessKey:
    """A key pair for S3 clients. The repr does not contain the secret."""

    access_key: str
    secret_key: str = field(repr=False)


@dataclass(frozen=True)
class BackendReport:
    """The result of `region check`. `clock_skew`: seconds by which the cluster's clock is ahead of ours, to about one
    second."""

    reachable: bool
    credentials: bool
    present: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    clock_skew: float | None = None
    facts: tuple[tuple[str, str], ...] = ()
    enforced: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    """Sentences: what is wrong and how to fix it. Empty: the backend is ready for use."""


class Purging(Protocol):
    """The part of a backend that the deletion of accounts needs."""

    async def purge(self, user: ClusterUser) -> None:
        """Deletes the account, its keys and all its data, every version. Idempotent.

        Object locks do not protect data from this: as on AWS, deleting the account is the one way around a lock in
        compliance mode, and the grace period before it is the safeguard. Unavailable: a retry may succeed, perhaps
        hours later, since a large account is emptied during the request. BackendRefused: the cluster keeps something in
        it.
        """
        ...


class StorageBackend(Purging, Protocol):
    """The cluster behind a region.

    Every operation raises Unavailable when the cluster cannot be reached, Misconfigured (a subclass) when the operator
    has to fix the cause, BackendRefused when a retry does not help, ValueError for an id that is not an account id.
    """

    @property
    def bucket(self) -> Bucket | None:
        """Tonnage's own bucket; None where there is no cluster."""
        ...

    async def check(self) -> BackendReport:
        """Whether it can be reached and used. Changes nothing on it. Raises none of the above errors."""
        ...

    async def apply(self, desired: DesiredAccount) -> tuple[str, ...]:
        """Makes the account match the desired state; returns what has changed, in the words of `differences`.

        Idempotent, and safe to run concurrently with itself. Access keys are not touched. If interrupted, the account
        is never less restricted than before or desired.
        """
        ...

    async def state(self, user: ClusterUser) -> ActualAccount | None:
        """The actual state of the account; None if it does not exist."""
        ...

    def accounts(self) -> AsyncIterator[int]:
        """The accounts on the cluster whose users are named by Tonnage, in no order; other users are left out."""
        ...

    def users(self) -> AsyncIterator[ListedUser]:
        """All users of the cluster, in no order."""
        ...

    async def unmanaged_user(self, uid: str) -> UnmanagedUser | None:
        """A user as it is on the cluster; None if it does not exist."""
        ...

    async def usage(self, user: ClusterUser) -> Usage | None:
        """What the account stores at present, exactly; None when the backend does not know.

        BackendRefused: the cluster reports an impossible number.
        """
        ...

    def traffic(self, since: datetime, until: datetime, adopted: Mapping[str, int]) -> AsyncIterator[Traffic]:
        """The hourly traffic of all accounts, from the hour of `since` up to but not including `until`. `adopted`: the
        accounts of adopted users, by the users' ids."""
        ...

    async def trim_traffic(self, user: ClusterUser, before: datetime) -> None:
        """Deletes an account's log entries of hours that ended by `before`. Only for hours that were read an hour after
        their end."""
        ...

    async def keys(self, user: ClusterUser) -> tuple[str, ...]:
        """The access keys of the account, without their secrets; NotProvisioned when the account does not exist."""
        ...

    async def create_key(self, user: ClusterUser, access_key: str) -> AccessKey:
        """Creates a key with that name; the backend generates its secret, which is returned only here. At most 10
        seconds.

        If the account already has a key of that name, the key gets a new secret. So after Unavailable, when it is
        unknown whether the key exists, both a retry and a deletion are correct.

        `access_key`: 16 to 128 capital letters and digits. NotProvisioned: the account does not exist. NotReached, a
        subclass of Unavailable: no key was created. TooManyKeys, a subclass of Conflict: the account has
        MAX_ACCESS_KEYS. Conflict: this backend does not manage keys.
        """
        ...

    async def delete_key(self, user: ClusterUser, access_key: str) -> None:
        """Deletes the key: requests with it fail from now on. No-op when there is none. At most 10 seconds."""
        ...

    async def close(self) -> None:
        """Closes its connections."""
        ...


@dataclass(frozen=True)
class Cluster:
    """The cluster of a region: the fields that need no secrets."""

    region_id: int
    name: str
    backend: str
    admin_url: str | None
    connection: int
    """Incremented with every change of address or credentials."""
    identity_unverified: str | None
    """Why it may not be the region's cluster; '' while it is not checked yet; None when it is verified."""


class Backends(Protocol):
    """The storage backends of the regions."""

    async def of(self, region_id: int) -> StorageBackend:
        """The backend of a region as it is connected now.

        NotFound: no such region. Misconfigured: its credentials cannot be opened, or the cluster's identity is
        unverified.
        """
        ...

    async def any_state(self, region_id: int) -> tuple[Cluster, StorageBackend]:
        """The same even while the cluster's identity is unverified, for checks. Callers must change nothing there."""
        ...

"""What a storage backend can do for Tonnage. Features know backends only by these protocols."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

MAX_BUCKETS = 100
MAX_ACCESS_KEYS = 10


class Access(StrEnum):
    """What an account may do. Beyond FULL nobody stores anything in it, not even a guest with rights of his own."""

    FULL = "full"
    READ_ONLY = "read-only"
    SUSPENDED = "suspended"


@dataclass(frozen=True)
class DesiredAccount:
    """What the database says an account should be on its cluster. `quota` in bytes; None: as much as it likes."""

    account_id: int
    display_name: str
    email: str
    quota: int | None
    access: Access = Access.FULL
    max_buckets: int = MAX_BUCKETS

    @property
    def write_limit(self) -> int | None:
        """The quota to enforce, bytes: none of it is left to an account that may not write."""
        return self.quota if self.access is Access.FULL else 0


@dataclass(frozen=True)
class ActualAccount:
    """What an account is on its cluster."""

    account_id: int
    display_name: str
    email: str
    max_buckets: int
    quota: int | None
    quota_exact: bool
    """Whether `quota` is enforced at all, to the byte, and nothing else but bytes is limited."""
    access: Access | None
    """None: something between the three, which nobody of us has set."""
    access_keys: tuple[str, ...]


def differences(desired: DesiredAccount, actual: ActualAccount | None) -> tuple[str, ...]:
    """What `apply` would change, in words; `("account",)` for one that is not there at all.

    E-mail addresses are compared without regard to ASCII case, since clusters keep them in lower case.
    """
    if actual is None:
        return ("account",)
    differs = {
        "display name": desired.display_name != actual.display_name,
        "e-mail": _lower(desired.email) != _lower(actual.email),
        "max buckets": desired.max_buckets != actual.max_buckets,
        "access": desired.access is not actual.access,
        "quota": desired.write_limit != actual.quota or not actual.quota_exact,
    }
    return tuple(name for name, is_so in differs.items() if is_so)


def _lower(email: str) -> str:
    return email.encode().lower().decode()


@dataclass(frozen=True)
class Usage:
    """What an account stores at this moment: bytes as its owner counts them, objects with all their versions."""

    bytes: int
    objects: int


@dataclass(frozen=True)
class Traffic:
    """What one account did in one hour, `hour` being its beginning in UTC: bytes to and from clients, requests.

    A number may still grow while its hour runs, and a little later. After a trim it may begin again from zero. So
    whoever keeps them takes the greater of two readings of the same hour: reading twice then changes nothing.
    """

    account_id: int
    hour: datetime
    sent: int
    received: int
    requests: int


@dataclass(frozen=True)
class AccessKey:
    """A pair for S3 clients. The secret shows in no repr."""

    access_key: str
    secret_key: str = field(repr=False)


@dataclass(frozen=True)
class BackendReport:
    """What `region check` tells the operator. `clock_skew`: seconds that the cluster is ahead of us, to about one."""

    reachable: bool
    credentials: bool
    present: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    clock_skew: float | None = None
    facts: tuple[tuple[str, str], ...] = ()
    enforced: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    """Sentences: what is wrong and what to do. None of them: the backend is fit for use."""


class Purging(Protocol):
    """As much of a backend as the deletion of accounts needs."""

    @property
    def enforces(self) -> bool:
        """Whether it holds accounts to their quota. If not it is metered only, and excess shows in the usage."""
        ...

    async def purge(self, account_id: int) -> None:
        """Removes the account, its keys and all that it stores, every version. Doing it again changes nothing.

        An object lock does not outlive its account: as on AWS, deleting the account is the one way around a lock in
        compliance mode, and the days of grace before it are the safeguard. Raises Unavailable when it may work later,
        which may be hours: a large account is emptied while we wait. PlaneRefused: this cluster keeps something in it.
        """
        ...


class StorageBackend(Purging, Protocol):
    """The cluster behind a region.

    Every operation raises Unavailable when the cluster cannot be reached, Misconfigured (a kind of it) when that is for
    the operator to mend, PlaneRefused when trying again does not help, ValueError for an id that is none of ours.
    """

    async def check(self) -> BackendReport:
        """Whether it can be reached and used, without changing anything on it. Raises nothing of the above."""
        ...

    async def apply(self, desired: DesiredAccount) -> tuple[str, ...]:
        """Makes the account so, whatever it was, and says what has changed, in the words of `differences`.

        May be run again at any moment, and at the same time as itself. Access keys are left alone. Interrupted halfway,
        the account is never less restricted than before or desired.
        """
        ...

    async def state(self, account_id: int) -> ActualAccount | None:
        """The account as it is; None when it is not there."""
        ...

    def accounts(self) -> AsyncIterator[int]:
        """The ids of all accounts of ours on the cluster, in no order; users that are not ours are left out."""
        ...

    async def usage(self, account_id: int) -> Usage | None:
        """What it stores, exact at this moment; None when the backend does not know.

        PlaneRefused: what the cluster has counted cannot be.
        """
        ...

    def traffic(self, since: datetime, until: datetime) -> AsyncIterator[Traffic]:
        """Hour by hour what the accounts did, from the hour of `since` up to but not including `until`."""
        ...

    async def trim_traffic(self, account_id: int, before: datetime) -> None:
        """Forgets the hours of an account that ended by `before`. Only for hours read an hour after they ended."""
        ...

    async def keys(self, account_id: int) -> tuple[str, ...]:
        """The access keys of the account, without their secrets; NotProvisioned when it is not there."""
        ...

    async def create_key(self, account_id: int, access_key: str) -> AccessKey:
        """Adds a key by that name, with a secret that the backend makes: it is told once, here. 10 seconds at most.

        A key of that name that the account already has gets a new secret. So after Unavailable, when nobody knows
        whether there is a key, either asking again or deleting it is right.

        `access_key`: 16 to 128 capital letters and digits. NotProvisioned: the account is not there. NotAsked, a kind
        of Unavailable: no key was made. NoKeyLeft, a kind of Conflict: it has MAX_ACCESS_KEYS. Conflict: keys are no
        business of this backend.
        """
        ...

    async def delete_key(self, account_id: int, access_key: str) -> None:
        """Ends the key: it fails from the next request on. Nothing happens when there is none. 10 seconds at most."""
        ...

    async def close(self) -> None:
        """Ends its connections."""
        ...


@dataclass(frozen=True)
class Cluster:
    """The cluster of a region, as far as it can be known without secrets."""

    region_id: int
    name: str
    backend: str
    admin_url: str | None
    connection: int
    """Grows with every change of address or credentials."""
    identity_unverified: str | None
    """Why it may not be the region's cluster; '' while nobody has looked; None when it is."""


class Backends(Protocol):
    """The storage backends of the regions."""

    async def of(self, region_id: int) -> StorageBackend:
        """The backend of a region as it is connected now.

        NotFound: there is no such region. Misconfigured: its secret is lost, or its cluster's identity is unverified.
        """
        ...

    async def any_state(self, region_id: int) -> tuple[Cluster, StorageBackend]:
        """The same even while the cluster's identity is unverified: to look at it, never to change anything there."""
        ...

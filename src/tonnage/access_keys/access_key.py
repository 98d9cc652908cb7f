"""Access keys of storage accounts: their names, states and drift."""

import re
import secrets
import string
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from tonnage.error_codes import ConflictCode, UnavailableCode
from tonnage.errors import Conflict, NotFound, Unavailable
from tonnage.storage.backend import MAX_ACCESS_KEYS, AccessKey

PENDING_TIMEOUT = timedelta(seconds=60)
"""Age after which a pending key is given up. Creating a key times out after 10 seconds, so nobody works on it any more.
A key in state deleting can be deleted by any process at any time."""

_PREFIX = "TONNAGE"
_LETTERS = string.ascii_uppercase + string.digits
_LENGTH = 20
_FORM = re.compile(r"[!-.0-~]{1,128}", re.ASCII)
"""A key that was not made here may have any name that fits into an address of a page."""


class KeyOrigin(StrEnum):
    """Where a key comes from."""

    CREATED = "created"
    FOUND = "found"
    """A comparison found it on the cluster. It is drift until it is accepted or deleted."""
    ADOPTED = "adopted"
    """Taken over with its account, or accepted by the operator."""


class KeyState(StrEnum):
    """The state of a key. Its row is inserted before the request to the cluster, and removed after the cluster has
    deleted the key."""

    PENDING = "pending"
    ACTIVE = "active"
    DELETING = "deleting"


@dataclass(frozen=True)
class CreatedKey:
    """A new key with its secret, which cannot be retrieved later. The repr does not contain the secret."""

    pair: AccessKey
    json: bytes = field(repr=False)
    """The whole key as JSON, secret included: the body of the response."""


@dataclass(frozen=True)
class KeyDrift:
    """How the keys of an account on its cluster differ from those in the database."""

    lost: tuple[str, ...]
    """Active here, but missing on the cluster."""
    unknown: tuple[str, ...]
    """On the cluster, but unknown here."""


def new_access_key() -> str:
    """A new random name; the chance of a collision is negligible. The prefix lets secret scanners recognise a leaked
    key."""
    return _PREFIX + "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH - len(_PREFIX)))


def may_be_access_key(text: str) -> bool:
    """Whether the text has the form of an access key, made here or not."""
    return _FORM.fullmatch(text) is not None


def no_key(account_id: int) -> NotFound:
    """The message does not repeat the key: a client that mixes up key and secret would write the secret to a log."""
    return NotFound("Storage account {account} has no such access key.", account=str(account_id))


def too_many(keys: int, pending: int) -> Conflict | Unavailable:
    """The error when an account has too many keys for another one; `pending` of them are being created or deleted.

    Unavailable if any are: their number falls without further action, so a retry helps. Otherwise Conflict.
    """
    if pending:
        return Unavailable(
            "The account has {keys} access keys ({pending} being created or deleted) and the limit is "
            "{limit}. Try again in a few minutes.",
            UnavailableCode.ACCESS_KEYS_PENDING,
            keys=keys,
            pending=pending,
            limit=MAX_ACCESS_KEYS,
        )
    return Conflict(
        "The account has {keys} access keys and the limit is {limit}. Delete one first.",
        ConflictCode.TOO_MANY_ACCESS_KEYS,
        keys=keys,
        limit=MAX_ACCESS_KEYS,
    )


def not_made_here(on_cluster: Iterable[str], here: Iterable[str]) -> Conflict | None:
    """The error when the cluster has no room for another key, because it has keys that are not listed here yet.

    None: all keys on the cluster are listed here.
    """
    present = set(on_cluster)
    unknown = sorted(present.difference(here))
    if not unknown:
        return None
    return Conflict(
        "The account has {keys} access keys on its cluster, the maximum. These were not created here: {unknown}. "
        "Delete one first.",
        ConflictCode.TOO_MANY_ACCESS_KEYS,
        keys=len(present),
        unknown=", ".join(unknown),
    )


def key_drift(before: Mapping[str, KeyState], on_cluster: Iterable[str]) -> KeyDrift:
    """`before`: the keys in the database, read before the cluster was queried. Read later, they could include a key
    that was created in between."""
    present = set(on_cluster)
    lost = sorted(key for key, state in before.items() if state is KeyState.ACTIVE and key not in present)
    return KeyDrift(tuple(lost), tuple(sorted(present - before.keys())))

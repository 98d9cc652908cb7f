"""An access key of a storage account: how it is named, and what a comparison with its cluster finds."""

import re
import secrets
import string
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from tonnage.errors import Conflict, Unavailable
from tonnage.storage.backend import MAX_ACCESS_KEYS, AccessKey

PENDING_TIMEOUT = timedelta(seconds=60)
"""Whoever makes a key gives up after 10 seconds: after this much nobody is at it any more. A key that is to end may be
ended by anybody at any time."""

_PREFIX = "TONNAGE"
_LETTERS = string.ascii_uppercase + string.digits
_LENGTH = 20
_FORM = re.compile(r"[A-Z0-9]{16,128}", re.ASCII)


class KeyState(StrEnum):
    """How far a key is. Its row is there before the cluster is asked, and goes after the cluster has forgotten it."""

    PENDING = "pending"
    ACTIVE = "active"
    DELETING = "deleting"


@dataclass(frozen=True)
class CreatedKey:
    """A new key with its secret, which nobody can ask for again. The secret shows in no repr."""

    pair: AccessKey
    json: bytes = field(repr=False)
    """All there is to know of it, for whoever asked for it."""


@dataclass(frozen=True)
class KeyDrift:
    """How the keys of an account on its cluster differ from those here."""

    lost: tuple[str, ...]
    """Live here, and not on the cluster."""
    unknown: tuple[str, ...]
    """On the cluster, and not here."""


def new_access_key() -> str:
    """A name that nobody has: the chance to meet a taken one is nil. Its beginning tells a scanner what was leaked."""
    return _PREFIX + "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH - len(_PREFIX)))


def may_be_access_key(text: str) -> bool:
    """Whether it has the form of an access key."""
    return _FORM.fullmatch(text) is not None


def too_many(keys: int, pending: int) -> Conflict | Unavailable:
    """Why an account with so many keys gets no other one; `pending` of them are being made or deleted.

    Those go by themselves: whoever asks again later gets one.
    """
    if pending:
        return Unavailable(
            "The account has {keys} access keys, {pending} of them just being made or deleted, and {most} is the "
            "most; try again in a few minutes.",
            keys=keys,
            pending=pending,
            most=MAX_ACCESS_KEYS,
        )
    return Conflict(
        "The account has {keys} access keys, and {most} is the most; delete one first.", keys=keys, most=MAX_ACCESS_KEYS
    )


def not_made_here(on_cluster: Iterable[str], here: Iterable[str]) -> Conflict | None:
    """Why an account has no room for another key, though there are fewer here: None if all on its cluster are known."""
    present = set(on_cluster)
    unknown = len(present.difference(here))
    if not unknown:
        return None
    return Conflict(
        "The account has {keys} access keys on its cluster, the most there can be, and {unknown} of them were not made "
        "here; the operator has to remove those.",
        keys=len(present),
        unknown=unknown,
    )


def key_drift(before: Mapping[str, KeyState], on_cluster: Iterable[str]) -> KeyDrift:
    """`before`: the keys here, read before the cluster was asked. One read later may have been made in between."""
    present = set(on_cluster)
    lost = sorted(key for key, state in before.items() if state is KeyState.ACTIVE and key not in present)
    return KeyDrift(tuple(lost), tuple(sorted(present - before.keys())))

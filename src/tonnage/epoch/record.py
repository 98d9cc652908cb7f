"""Where the epoch is recorded outside of the database: a file, a process's memory, an object on each cluster."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tonnage.epoch.revocation import Revocation
from tonnage.errors import Sentence
from tonnage.storage.bucket import ObjectList

PREFIX = "epoch/"

_KEY = re.compile(r"epoch/([0-9a-f-]{36})/([0-9]{20})", re.ASCII)


@dataclass(frozen=True)
class EpochRecord:
    """What one place has. `epoch`: 0 for nothing yet."""

    place: str
    epoch: int = 0
    revoked: frozenset[Revocation] = frozenset()
    time: datetime | None = None
    """The time of the place's own clock."""
    problem: str | None = None
    """Why nothing is known about it."""


def object_key(installation: UUID, epoch: int) -> str:
    """The name of the object that records an epoch. The number is in the name, so nothing is ever overwritten."""
    return f"{PREFIX}{installation}/{epoch:020d}"


def recorded(listing: ObjectList) -> dict[str, int]:
    """The highest epoch of every installation in a listing of `epoch/`. There should be one."""
    found: dict[str, int] = {}
    for one in listing.objects:
        if match := _KEY.fullmatch(one.key):
            found[match[1]] = max(found.get(match[1], 0), int(match[2]))
    return found


def superseded(listing: ObjectList, installation: UUID, epoch: int) -> list[str]:
    """The objects of lower epochs."""
    own, below = f"{PREFIX}{installation}/", object_key(installation, epoch)
    return [one.key for one in listing.objects if one.key.startswith(own) and one.key < below]


def foreign(region: str, installations: Iterable[str], own: UUID) -> Sentence | None:
    """Why the cluster of a region may not be changed: another installation uses it. None: it does not."""
    other = next((one for one in installations if one != str(own)), None)
    if other is None:
        return None
    return Sentence(
        "The cluster of the region {region} is used by another installation of Tonnage ({other}), and each would undo "
        "the changes of the other. If that one no longer exists, run `tonnage restore confirm --take-over {region}`.",
        region=region,
        other=other,
    )


def not_compared(region: str) -> Sentence:
    """Why the cluster of a region may not be changed: nobody has decided what is newer there than in the database."""
    return Sentence(
        "The cluster of the region {region} could not be compared when the database was confirmed after a restore. "
        "When it can be reached, run `tonnage restore check`, then `tonnage restore confirm`.",
        region=region,
    )


def highest(records: Iterable[EpochRecord]) -> EpochRecord | None:
    """The place with the highest epoch."""
    return max(records, key=lambda one: one.epoch, default=None)


def older(place: str, inside: int, outside: int) -> Sentence:
    """The reason of a hold."""
    return Sentence(
        "The database is older than what was done: its epoch is {inside}, and {place} has {outside}. It was probably "
        "put back from a backup.",
        inside=str(inside),
        place=place,
        outside=str(outside),
    )

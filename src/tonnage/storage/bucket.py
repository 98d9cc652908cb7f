"""The protocol of the bucket that Tonnage has on each cluster."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True)
class StoredObject:
    """An object of Tonnage's own bucket. `modified`: when it was created, by the cluster's clock."""

    key: str
    modified: datetime


@dataclass(frozen=True)
class ObjectList:
    """Objects of the bucket, in order of their keys. `now`: the time of the cluster's clock."""

    now: datetime
    objects: tuple[StoredObject, ...] = ()


class Bucket(Protocol):
    """A bucket of Tonnage's own on a cluster: what a database that was put back from a backup does not have.

    Keys consist of letters, digits, `.`, `-` and `/`. Raises the errors of `StorageBackend`.
    """

    async def objects(self, prefix: str) -> ObjectList:
        """The objects whose keys begin with `prefix`. Empty while there is no bucket."""
        ...

    async def create(self, key: str, content: bytes = b"") -> bool:
        """Creates an object, and the bucket where it is missing. False: there is such an object, and it stays."""
        ...

    async def read(self, key: str) -> bytes | None:
        """The content of an object; None if there is none."""
        ...

    async def delete(self, key: str) -> None:
        """Deletes an object. No-op when there is none."""
        ...

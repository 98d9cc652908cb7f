"""Reads and writes the places outside of the database."""

import asyncio
import logging
import secrets
from collections.abc import Iterable
from uuid import UUID

from tonnage.epoch.record import PREFIX, EpochRecord, foreign, object_key, recorded, superseded
from tonnage.epoch.revocation import Revocation
from tonnage.epoch.revocation_actions import read_revocations
from tonnage.errors import TonnageError
from tonnage.regions.queries import clusters, set_identity_unverified
from tonnage.services import Services
from tonnage.state_file import StateFile
from tonnage.storage.backend import Cluster
from tonnage.storage.bucket import Bucket, ObjectList
from tonnage.storage.errors import Misconfigured

_log = logging.getLogger(__name__)

MEMORY, FILE = "this process", "the data directory"


class WrittenTwice(Exception):
    """Another database has recorded the same epoch: there are two copies of one database."""


async def read_local(services: Services, installation: UUID) -> list[EpochRecord]:
    """The memory of this process, and the file in the data directory."""
    return [EpochRecord(MEMORY, services.seen.of(installation)), *await _read_file(services, installation)]


async def _read_file(services: Services, installation: UUID) -> list[EpochRecord]:
    if services.data_dir is None:
        return []
    try:
        state = await asyncio.to_thread(StateFile(services.data_dir, installation).read)
    except (OSError, ValueError) as error:
        return [EpochRecord(FILE, problem=f"{type(error).__name__}: {error}")]
    return [EpochRecord(FILE, state.epoch, state.revoked)]


async def write_file(services: Services, installation: UUID, epoch: int, revoked: Iterable[Revocation] = ()) -> bool:
    """Adds to the file. False: that failed, which is logged: the clusters have their own records."""
    if services.data_dir is None:
        return True
    try:
        await asyncio.to_thread(StateFile(services.data_dir, installation).add, epoch, revoked)
    except OSError as error:
        _log.warning("could not record the epoch in the data directory: %s", error)
        return False
    return True


async def read_clusters(services: Services, installation: UUID) -> list[EpochRecord]:
    """Every cluster, concurrently. One that cannot be reached, or that another installation uses, is a problem.

    Other work on such a cluster stops: it counts as another region's.
    """
    found = await services.database.run(clusters)
    return list(await asyncio.gather(*(_read_cluster(services, installation, cluster) for cluster in found)))


async def _read_cluster(services: Services, installation: UUID, cluster: Cluster) -> EpochRecord:
    place = _place_of(cluster.name)
    try:
        _, backend = await services.backends.any_state(cluster.region_id)
        bucket = backend.bucket
        if bucket is None:
            return EpochRecord(place)
        listing = await bucket.objects(PREFIX)
        there = recorded(listing)
        if (reason := foreign(cluster.name, there, installation)) is not None:
            await services.database.run(set_identity_unverified, cluster, reason)
            return EpochRecord(place, problem=reason)
        revoked = await read_revocations(bucket)
        return EpochRecord(place, there.get(str(installation), 0), frozenset(revoked), listing.now)
    except TonnageError as error:
        return EpochRecord(place, problem=str(error))


def _place_of(region: str) -> str:
    return f"the cluster of the region {region}"


async def read_bucket(bucket: Bucket, region: str, installation: UUID) -> tuple[EpochRecord, ObjectList]:
    """One cluster before changes, and its records. Misconfigured: another installation uses it."""
    listing = await bucket.objects(PREFIX)
    there = recorded(listing)
    if (reason := foreign(region, there, installation)) is not None:
        raise Misconfigured(reason)
    return EpochRecord(_place_of(region), there.get(str(installation), 0), time=listing.now), listing


async def write_bucket(bucket: Bucket, installation: UUID, epoch: int, listing: ObjectList) -> None:
    """Records the epoch on a cluster. `listing`: the records there, as read before. Raises WrittenTwice."""
    key, content = object_key(installation, epoch), secrets.token_hex(16).encode()
    # A retry after a lost response finds the object of the first try, with the same content.
    if not await bucket.create(key, content) and await bucket.read(key) != content:
        raise WrittenTwice
    for lower in superseded(listing, installation, epoch):
        await bucket.delete(lower)


async def remove_foreign(bucket: Bucket, installation: UUID) -> list[str]:
    """Removes the epochs of other installations; returns their ids."""
    listing = await bucket.objects(PREFIX)
    others = sorted(recorded(listing).keys() - {str(installation)})
    for one in listing.objects:
        if one.key.removeprefix(PREFIX).partition("/")[0] in others:
            await bucket.delete(one.key)
    return others

"""Records the last number of each series outside of the database, beside the epoch: in the data directory and on every
cluster. A database that was put back from a backup would give the numbers since then a second time.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from tonnage.epoch.queries import installation
from tonnage.epoch.record_actions import FILE, read_local
from tonnage.error_codes import UnavailableCode
from tonnage.errors import TonnageError, Unavailable
from tonnage.numbering.series import PREFIX, Series, highest, joined, object_key, superseded
from tonnage.numbers_file import NumbersFile
from tonnage.regions.queries import clusters
from tonnage.services import Services
from tonnage.storage.backend import Cluster
from tonnage.storage.bucket import Bucket

_log = logging.getLogger(__name__)

_LONGEST = 20.0
"""Seconds for a cluster: a transaction waits for this."""


@dataclass(frozen=True)
class Places:
    """Where numbers are recorded. They are opened before a transaction takes numbers: what opens a cluster needs a
    connection of its own, and as many transactions as there are connections would wait for each other."""

    installation: UUID
    file: NumbersFile | None
    buckets: Sequence[tuple[str, Bucket | None]]
    """The regions with a cluster; None: it cannot be reached."""
    unfinished: set[asyncio.Task[bool]] = field(default_factory=set[asyncio.Task[bool]])
    """Records in the background."""
    has_epoch: bool = False
    """Whether the data directory has a record of the epoch: without a file of numbers, none were given."""


async def places_of(services: Services) -> Places:
    """Those of this process."""
    found = (await services.database.run(installation)).id
    regions = await services.database.run(clusters)
    opened = [await _bucket_of(services, one) for one in regions]
    file = NumbersFile(services.data_dir, found) if services.data_dir else None
    here = await read_local(services, found)
    has_epoch = any(one.place == FILE and one.epoch > 0 for one in here)
    return Places(found, file, [one for one in opened if one is not None], has_epoch=has_epoch)


async def _bucket_of(services: Services, cluster: Cluster) -> tuple[str, Bucket | None] | None:
    try:
        _, backend = await services.backends.any_state(cluster.region_id)
    except TonnageError as error:
        _log.warning("the cluster of the region %s cannot be used: %s", cluster.name, error)
        return cluster.name, None
    return None if backend.bucket is None else (cluster.name, backend.bucket)


async def record(places: Places, series: Series, number: int) -> None:
    """Before the transaction that issues the number ends. It goes on when one place has it; the others get it in the
    background: a cluster that hangs keeps nobody waiting. Unavailable: no place has it.
    """
    works = [_in_bucket(places.installation, series, number, region, bucket) for region, bucket in places.buckets]
    if places.file is not None:
        works.append(_in_file(places.file, series, number))
    waiting = {asyncio.create_task(work) for work in works}
    if not waiting:
        return
    while waiting:
        done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        if any(task.result() for task in done):
            places.unfinished.update(waiting)
            for task in waiting:
                task.add_done_callback(places.unfinished.discard)
            return
    raise Unavailable(
        "The number could be recorded neither in the data directory nor on a storage cluster, and would be given a "
        "second time after a restore from a backup. Try again when one of them works.",
        UnavailableCode.NUMBERS_NOT_RECORDED,
    )


async def finish(places: Places) -> None:
    """Waits for the places that were slower, each for at most its time-out: for jobs and commands."""
    if places.unfinished:
        await asyncio.wait(places.unfinished)


async def _in_file(file: NumbersFile, series: Series, number: int) -> bool:
    try:
        async with asyncio.timeout(_LONGEST):
            await asyncio.to_thread(file.add, series.key, number)
    except OSError as error:  # of which TimeoutError is one
        _log.warning("could not record a number in the data directory: %s", error)
        return False
    return True


async def _in_bucket(installation: UUID, series: Series, number: int, region: str, bucket: Bucket | None) -> bool:
    if bucket is None:
        return False
    key = object_key(installation, series, number)
    try:
        async with asyncio.timeout(_LONGEST):
            await bucket.create(key)
            for lower in superseded(await bucket.objects(f"{key.rpartition('/')[0]}/"), key):
                await bucket.delete(lower)
    except (TonnageError, TimeoutError) as error:
        _log.warning("could not record a number on the cluster of the region %s: %s", region, error)
        return False
    return True


@dataclass(frozen=True)
class Recorded:
    """What the places have."""

    numbers: Mapping[Series, int]
    """The last number of each series in any of them."""
    problems: Sequence[str]
    """Why a place could not be read."""
    is_known: bool
    """Whether one place could be read that is not empty for want of a file, or none had to be."""


async def recorded(places: Places) -> Recorded:
    """Reads all places. One that answers is enough to know the numbers."""
    problems: list[str] = []
    found: list[Mapping[str, int]] = []
    for region, bucket in places.buckets:
        try:
            if bucket is None:
                problems.append(f"the cluster of the region {region} cannot be used")
            else:
                listing = await bucket.objects(f"{PREFIX}{places.installation}/")
                found.append(highest(listing, places.installation))
        except TonnageError as error:
            problems.append(f"the cluster of the region {region}: {error}")
    try:
        in_file = await asyncio.to_thread(places.file.read) if places.file else None
        if in_file is not None or places.has_epoch:
            found.append(in_file or {})
    except OSError as error:
        problems.append(f"the data directory: {error}")
    return Recorded(joined(found), problems, bool(found) or not problems)

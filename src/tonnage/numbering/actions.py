"""Gives documents their numbers: those of a seller's series, in its format, without gaps.

The last number of each series is recorded outside of the database, beside the epoch: in the data directory and on every
cluster. A database that was put back from a backup would give the numbers since then a second time.
"""

import asyncio
import logging
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from psycopg.errors import UniqueViolation

from tonnage.billing_profiles.document_number import DocumentNumberFormat
from tonnage.billing_profiles.settings import SellerSettings
from tonnage.db import Connection, broken_constraint
from tonnage.epoch.actions import advance_here
from tonnage.epoch.queries import installation
from tonnage.error_codes import ConflictCode, UnavailableCode
from tonnage.errors import Conflict, TonnageError, Unavailable
from tonnage.numbering.queries import Taken, take_numbers
from tonnage.numbering.series import PREFIX, Series, highest, joined, object_key, superseded
from tonnage.numbers_file import NumbersFile
from tonnage.regions.queries import clusters
from tonnage.services import Services
from tonnage.storage.backend import Cluster
from tonnage.storage.bucket import Bucket
from tonnage.utc import day_of

_log = logging.getLogger(__name__)

_LONGEST = 20.0
"""Seconds for a cluster: a transaction waits for this."""


async def take_next(conn: Connection, seller_id: UUID, settings: SellerSettings, count: int, now: datetime) -> Taken:
    """In the transaction that issues the documents: if it is undone, so is this. Others of the seller wait for it. The
    last number is recorded outside, by `record`, before the transaction ends."""
    form = DocumentNumberFormat.read(settings.number_format)
    return await take_numbers(conn, seller_id, form, settings.number_start, count, day_of(now))


@contextmanager
def unique_numbers() -> Generator[None]:
    """Around the statement that stores numbers. Conflict: another document of the seller has one of them."""
    try:
        yield
    except UniqueViolation as error:
        if broken_constraint(error) != "statement_number":
            raise
        raise Conflict(
            "Your format of numbers gives one that another statement has. Set another format, and try again.",
            ConflictCode.NUMBER_TAKEN,
        ) from error


@dataclass
class NumberStores:
    """Where numbers are recorded. They are opened before a transaction takes numbers: what opens a cluster needs a
    connection of its own, and as many transactions as there are connections would wait for each other."""

    installation: UUID
    file: NumbersFile | None
    buckets: Sequence[tuple[str, Bucket | None]]
    """The regions with a cluster; None: it cannot be reached."""
    unfinished: set[asyncio.Task[bool]] = field(default_factory=set[asyncio.Task[bool]])
    """Records in the background."""
    has_new: bool = False
    """Whether a number was recorded since the epoch was incremented."""


async def open_stores(services: Services) -> NumberStores:
    """Those of this process."""
    found = (await services.database.run(installation)).id
    regions = await services.database.run(clusters)
    opened = [await _bucket_of(services, one) for one in regions]
    file = NumbersFile(services.data_dir, found) if services.data_dir else None
    return NumberStores(found, file, [one for one in opened if one is not None])


async def _bucket_of(services: Services, cluster: Cluster) -> tuple[str, Bucket | None] | None:
    try:
        _, backend = await services.backends.any_state(cluster.region_id)
    except TonnageError as error:
        _log.warning("the cluster of the region %s cannot be used: %s", cluster.name, error)
        return cluster.name, None
    return None if backend.bucket is None else (cluster.name, backend.bucket)


async def record(stores: NumberStores, series: Series, number: int) -> None:
    """Before the transaction that issues the number ends. It goes on when one store has it; the others get it in the
    background: a cluster that hangs keeps nobody waiting. Unavailable: no store has it.
    """
    works = [_in_bucket(stores.installation, series, number, region, bucket) for region, bucket in stores.buckets]
    if stores.file is not None:
        works.append(_in_file(stores.file, series, number))
    waiting = {asyncio.create_task(work) for work in works}
    if not waiting:
        return
    while waiting:
        done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        if any(task.result() for task in done):
            stores.unfinished.update(waiting)
            for task in waiting:
                task.add_done_callback(stores.unfinished.discard)
            stores.has_new = True
            return
    raise Unavailable(
        "The number could be recorded neither in the data directory nor on a storage cluster, and would be given a "
        "second time after a restore from a backup. Try again when one of them works.",
        UnavailableCode.NUMBERS_NOT_RECORDED,
    )


async def conclude(services: Services, stores: NumberStores, *, waits: bool = True) -> None:
    """After the transaction that issued numbers: a database without them is known to be older from now on.

    `waits`: for the slower stores, each for at most its time-out, as jobs and commands do: what they have begun would
    end with their process.
    """
    if waits and stores.unfinished:
        await asyncio.wait(stores.unfinished)
    if stores.has_new:
        stores.has_new = False
        await advance_here(services)


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
    """What the stores have."""

    numbers: Mapping[Series, int]
    """The last number of each series in any of them."""
    problems: Sequence[str]
    """Why a place could not be read."""
    is_known: bool
    """Whether one place could be read that is not empty for want of a file, or none had to be."""


async def recorded(stores: NumberStores, *, has_epoch: bool) -> Recorded:
    """Reads all stores. One that answers is enough to know the numbers. `has_epoch`: the data directory has a record of
    the epoch, so that without a file of numbers none were given."""
    problems: list[str] = []
    found: list[Mapping[str, int]] = []
    for region, bucket in stores.buckets:
        try:
            if bucket is None:
                problems.append(f"the cluster of the region {region} cannot be used")
            else:
                listing = await bucket.objects(f"{PREFIX}{stores.installation}/")
                found.append(highest(listing, stores.installation))
        except TonnageError as error:
            problems.append(f"the cluster of the region {region}: {error}")
    try:
        in_file = await asyncio.to_thread(stores.file.read) if stores.file else None
        if in_file is not None or has_epoch:
            found.append(in_file or {})
    except OSError as error:
        problems.append(f"the data directory: {error}")
    return Recorded(joined(found), problems, bool(found) or not problems)

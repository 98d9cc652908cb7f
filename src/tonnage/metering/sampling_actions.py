"""Samples a cluster: the bytes that each account stores, hourly."""

import logging
from collections.abc import Awaitable, Callable
from datetime import datetime

from tonnage.clock import BusinessClock
from tonnage.db import Connection, Database
from tonnage.epoch.epoch import Permit
from tonnage.errors import Unavailable
from tonnage.jobs.queries import database_time
from tonnage.metering import sampling_queries, traffic_actions
from tonnage.metering.sampling import SamplingRun
from tonnage.provisioning.actions import account_id_of, requota_sampled
from tonnage.storage.backend import ClusterUser, StorageBackend, Usage
from tonnage.storage.concurrency import BatchResult, for_each_concurrently
from tonnage.usage.actions import DatabaseClock, record_samples
from tonnage.usage.sample import Sample
from tonnage.utc import hour_of

_log = logging.getLogger(__name__)

BATCH = 500
"""Accounts recorded in one transaction. An interrupted run has to read fewer than that again."""


async def sample_region(
    database: Database,
    backend: StorageBackend,
    region_id: int,
    clock: BusinessClock,
    permit: Callable[[], Awaitable[Permit | None]],
    database_clock: DatabaseClock = database_time,
    batch: int = BATCH,
) -> None:
    """Samples the accounts of a region for the present hour, reads their traffic, and recomputes elastic quotas.

    A run is labelled with the hour in which it starts, never with an earlier one: the past cannot be read any more, so
    a missed hour stays a gap. A run that takes longer than its hour continues under its label. Safe to interrupt at any
    point: a later run in the same hour reads only what is missing, and nothing if the hour is complete. `permit`: asks
    for the permission to trim the cluster's usage log; None: it is left as it is. Unavailable: the cluster does not
    respond, or accounts were missed.
    """
    missed = await measure(database, backend, region_id, clock, batch)
    await traffic_actions.read(database, backend, region_id, clock())
    if (permitted := await permit()) is not None:
        await traffic_actions.trim(database, backend, permitted, database_clock)
    if missed:
        raise missed


async def measure(
    database: Database, backend: StorageBackend, region_id: int, clock: BusinessClock, batch: int = BATCH
) -> Unavailable | None:
    """The first part of `sample_region`: what the accounts store. Returns why accounts have to be tried again; None if
    there are none.
    """
    now = clock()
    run = await database.run(sampling_queries.begin, region_id, hour_of(now), now)
    return None if run.is_complete else await _sample(database, backend, run, clock, batch)


async def _sample(
    database: Database, backend: StorageBackend, run: SamplingRun, clock: BusinessClock, batch: int
) -> Unavailable | None:
    """Samples all accounts that have no sample yet. Returns why some have to be retried, None if there are none."""
    sampled, absent, failed = 0, 0, 0
    away: Unavailable | None = None
    async for some in database.pages(sampling_queries.unsampled, run, id_of=account_id_of, size=batch):
        outcome = await for_each_concurrently(some, backend.usage)
        recorded, unknown = await _record(database, run, outcome, clock())
        sampled, absent, failed = sampled + recorded, absent + unknown, failed + len(outcome.failed)
        if outcome.stopped:
            raise outcome.stopped
        for user, error in outcome.failed:
            if outcome.done or not isinstance(error, Unavailable):
                # If no request succeeded, the cluster is at fault, and the job that fails because of it logs that once.
                _log.warning("storage account %d was not sampled: %s", user.account_id, error)
        away = outcome.away or away
    if away and not (sampled or absent):
        # Too few accounts for `for_each_concurrently` to conclude that the cluster is at fault. But none responded, so
        # it is.
        raise away
    if absent:
        _log.warning("storage accounts missing on their cluster and not sampled: %d", absent)
    if sampled or not run.finished:
        await requota_sampled(database, run.region_id)
    await database.run(sampling_queries.finish, run, absent + failed, clock())
    return away


async def _record(
    database: Database, run: SamplingRun, outcome: BatchResult[ClusterUser, Usage | None], now: datetime
) -> tuple[int, int]:
    """Stores the samples. Returns the number of accounts stored, and of those that are not on the cluster: these may be
    missing until the next full reconcile, so they count as missed, but are no reason to retry.
    """
    read = {user.account_id: usage for user, usage in outcome.done}

    async def record(conn: Connection) -> tuple[int, int]:
        # The queue runs one at a time. But it may wrongly consider a worker dead, and run its job a second time.
        await sampling_queries.serialise_runs(conn, run)
        wanted = await sampling_queries.still_unsampled(conn, run, list(read))
        found = [(account_id, usage) for account_id in wanted if (usage := read[account_id]) is not None]
        samples = [
            Sample(line, account_id, run.hour, usage.bytes, usage.objects)
            for line, (account_id, usage) in enumerate(found, 1)
        ]
        if samples:
            await record_samples(conn, samples, now)
            await sampling_queries.record_sampled(conn, run, len(samples))
        return len(samples), len(wanted) - len(samples)

    return await database.transaction(record) if read else (0, 0)

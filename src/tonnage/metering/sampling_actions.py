"""A cluster is sampled: what each account stores, hour by hour."""

import logging
from datetime import datetime

from tonnage.clock import BusinessClock
from tonnage.db import Connection, Database
from tonnage.errors import Unavailable
from tonnage.metering import sampling_queries, traffic_actions
from tonnage.metering.sampling import SamplingRun
from tonnage.provisioning.actions import requota
from tonnage.storage.backend import StorageBackend, Usage
from tonnage.storage.concurrency import BatchResult, for_each_concurrently
from tonnage.usage.actions import record_samples
from tonnage.usage.period import hour_of
from tonnage.usage.sample import Sample

_log = logging.getLogger(__name__)

BATCH = 500
"""Accounts that are recorded together. What a run that breaks off has to read again is fewer than that."""


async def sample_region(
    database: Database, backend: StorageBackend, region_id: int, clock: BusinessClock, batch: int = BATCH
) -> None:
    """Samples the accounts of a region for the hour that it is, reads their traffic, and recomputes elastic quotas.

    A run is labelled by the hour in which it begins, and by nothing earlier: the past cannot be read any more, so an
    hour that was missed stays a gap. One that takes longer than its hour goes on under its label. Interrupted anywhere,
    the rest of its hour can finish it; then only what is missing is read, and nothing when nothing is.
    Unavailable: the cluster is away, or accounts were missed.
    """
    now = clock()
    run = await database.run(sampling_queries.begin, region_id, hour_of(now), now)
    missed = None
    if not run.is_complete:
        missed = await _sample(database, backend, run, clock, batch)
    await traffic_actions.read(database, backend, region_id, clock())
    await traffic_actions.trim(database, backend, region_id, clock())
    if missed:
        raise missed


async def _sample(
    database: Database, backend: StorageBackend, run: SamplingRun, clock: BusinessClock, batch: int
) -> Unavailable | None:
    """Reads whoever has no sample yet. Gives why some of them are to be tried again, None if there are none."""
    sampled, absent, failed = 0, 0, 0
    away: Unavailable | None = None
    async for some in database.pages(sampling_queries.unsampled, run, id_of=int, size=batch):
        outcome = await for_each_concurrently(some, backend.usage)
        recorded, unknown = await _record(database, run, outcome, clock())
        sampled, absent, failed = sampled + recorded, absent + unknown, failed + len(outcome.failed)
        if outcome.stopped:
            raise outcome.stopped
        for account_id, error in outcome.failed:
            if outcome.done or not isinstance(error, Unavailable):
                # Else it is the cluster, and the job that fails for it says so once.
                _log.warning("storage account %d was not sampled: %s", account_id, error)
        away = outcome.away or away
    if away and not (sampled or absent):
        # Too few accounts to tell from their failures that it is the cluster. But nobody answers, so it is.
        raise away
    if absent:
        _log.warning("storage accounts that their cluster does not have, and so were not sampled: %d", absent)
    if sampled or not run.finished:
        await requota(database, None)
    await database.run(sampling_queries.finish, run, absent + failed, clock())
    return away


async def _record(
    database: Database, run: SamplingRun, outcome: BatchResult[int, Usage | None], now: datetime
) -> tuple[int, int]:
    """Stores what was read. Gives for how many accounts, and how many of the others are not on the cluster: those may
    be missing until a sweep, so they are missed, but no reason to try again.
    """
    read = dict(outcome.done)

    async def record(conn: Connection) -> tuple[int, int]:
        # The queue keeps runs apart. But it gives a job away when it takes its worker for dead, which may be wrong.
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

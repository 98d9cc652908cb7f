"""Traffic of accounts, from the usage log of their cluster."""

import logging
from datetime import UTC, datetime, time, timedelta

from tonnage.db import Connection, Database
from tonnage.metering import traffic_queries
from tonnage.metering.traffic import FARTHEST_BACK, KEPT_ON_CLUSTER
from tonnage.storage.backend import StorageBackend, Traffic
from tonnage.storage.concurrency import for_each_concurrently
from tonnage.utc import day_of, hour_of

_log = logging.getLogger(__name__)

_HOUR = timedelta(hours=1)


_TRIMMED_TOGETHER = 500


async def read(database: Database, backend: StorageBackend, region_id: int, now: datetime) -> None:
    """Reads the past hours of a region's log that were not read yet.

    The last hour of the previous read is read again, since a gateway writes its log with a delay. The first read covers
    one hour. Reads an hour at a time, so that an interrupted read can be continued. If an hour is read twice, or was
    trimmed in between, the greater reading counts. Raises the errors of the backend.
    """
    until = hour_of(now)
    read_to = await database.run(traffic_queries.read_to, region_id)
    if read_to is not None and read_to >= until:
        return
    hour = max((read_to or until) - _HOUR, until - FARTHEST_BACK)
    while hour < until:
        rows = [row async for row in backend.traffic(hour, hour + _HOUR)]
        await store(database, region_id, rows, hour + _HOUR)
        hour += _HOUR


async def store(database: Database, region_id: int, rows: list[Traffic], until: datetime) -> None:
    """Stores traffic read from a region's log up to `until`, and rolls up the days."""

    async def store(conn: Connection) -> None:
        await traffic_queries.stage(conn, rows)
        await traffic_queries.record_read(conn, region_id, until)
        await traffic_queries.store(conn, region_id)
        await traffic_queries.add_up_days(conn)

    await database.transaction(store)


async def trim(database: Database, backend: StorageBackend, region_id: int, now: datetime) -> None:
    """Once a UTC day, trims a region's log on its cluster: entries older than KEPT_ON_CLUSTER that were read.

    Ceph keeps its log for ever, some 700 bytes for each bucket and busy hour. One call could trim the log of all users,
    but this would include users that are not Tonnage's. So each account is trimmed by a call, and only accounts with
    traffic on the days to be trimmed. Nothing depends on it: a failure is only logged, and the account is trimmed when
    it has been active again. If the cluster is unavailable, the next run trims.
    """
    until = day_of(now) - KEPT_ON_CLUSTER
    first = await database.run(traffic_queries.trimmed_to, region_id)
    if first is not None and first >= until:
        return
    before = datetime.combine(until, time(), UTC)
    async for some in database.pages(
        traffic_queries.active, region_id, first, until, id_of=int, size=_TRIMMED_TOGETHER
    ):
        outcome = await for_each_concurrently(some, lambda account_id: backend.trim_traffic(account_id, before))
        for account_id, error in outcome.failed:
            _log.warning("the usage log of storage account %d was not trimmed: %s", account_id, error)
        if outcome.stopped or (outcome.away and not outcome.done):
            # Too few accounts for `for_each_concurrently` to conclude that the cluster is at fault. But none responded.
            return
    await database.run(traffic_queries.record_trimmed, region_id, until)

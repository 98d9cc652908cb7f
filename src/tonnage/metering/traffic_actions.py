"""Traffic of accounts, from the usage log of their cluster."""

import logging
from datetime import UTC, date, datetime, time, timedelta

from tonnage.db import Connection, Database
from tonnage.epoch.epoch import Permit
from tonnage.epoch.queries import require_permit
from tonnage.jobs.queries import database_time
from tonnage.metering import traffic_queries
from tonnage.metering.traffic import FARTHEST_BACK, KEPT_ON_CLUSTER
from tonnage.provisioning.actions import account_id_of
from tonnage.storage.backend import ClusterUser, StorageBackend, Traffic
from tonnage.storage.concurrency import for_each_concurrently
from tonnage.usage.actions import DatabaseClock, begin_trim
from tonnage.usage.retention_queries import hold_closed_days
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
        # Read anew for each hour: a user may have been adopted since.
        adopted = await database.run(traffic_queries.adopted_users, region_id)
        rows = [row async for row in backend.traffic(hour, hour + _HOUR, adopted)]
        await store(database, region_id, rows, hour + _HOUR)
        hour += _HOUR


async def store(database: Database, region_id: int, rows: list[Traffic], until: datetime) -> None:
    """Stores traffic read from a region's log up to `until`, and rolls up the days."""

    async def store(conn: Connection) -> None:
        await traffic_queries.stage(conn, rows)
        first_open = await hold_closed_days(conn)
        await traffic_queries.make_partitions(conn, first_open)
        await traffic_queries.record_read(conn, region_id, until)
        await traffic_queries.store(conn, region_id, first_open)
        await traffic_queries.add_up_days(conn)

    await database.transaction(store)


async def trim(
    database: Database, backend: StorageBackend, permitted: Permit, database_clock: DatabaseClock = database_time
) -> None:
    """Once a UTC day, trims a region's log on its cluster: entries older than KEPT_ON_CLUSTER that were read.

    Ceph keeps its log for ever, some 700 bytes for each bucket and busy hour. One call could trim the log of all users,
    but this would include users that are not Tonnage's. So each account is trimmed by a call, and only accounts with
    traffic on the days to be trimmed. Nothing depends on it: a failure is only logged, and the account is trimmed when
    it has been active again. If the cluster is unavailable, or the clocks differ, the next run trims. OnHold: the
    database is older than the permission.
    """
    if await begin_trim(database, permitted.now, database_clock) is None:
        return
    until = day_of(permitted.now) - KEPT_ON_CLUSTER
    first = await database.run(traffic_queries.trimmed_to, permitted.region_id)
    if first is not None and first >= until:
        return
    before = datetime.combine(until, time(), UTC)
    async for some in database.pages(_active, permitted, first, until, id_of=account_id_of, size=_TRIMMED_TOGETHER):
        outcome = await for_each_concurrently(some, lambda user: backend.trim_traffic(user, before))
        for user, error in outcome.failed:
            _log.warning("the usage log of storage account %d was not trimmed: %s", user.account_id, error)
        if outcome.stopped or (outcome.away and not outcome.done):
            # Too few accounts for `for_each_concurrently` to conclude that the cluster is at fault. But none responded.
            return
    await database.run(traffic_queries.record_trimmed, permitted.region_id, until)


async def _active(
    conn: Connection, permitted: Permit, since: date | None, until: date, after: int, limit: int
) -> list[ClusterUser]:
    await require_permit(conn, permitted)
    return await traffic_queries.active(conn, permitted.region_id, since, until, after, limit)

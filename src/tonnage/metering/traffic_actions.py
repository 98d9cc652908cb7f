"""What accounts did, from the usage log of their cluster."""

import logging
from datetime import UTC, datetime, time, timedelta

from tonnage.db import Connection, Database
from tonnage.metering import traffic_queries
from tonnage.metering.traffic import FARTHEST_BACK, KEPT_ON_CLUSTER
from tonnage.storage.backend import StorageBackend, Traffic
from tonnage.storage.concurrency import for_each_concurrently
from tonnage.usage.period import hour_of

_log = logging.getLogger(__name__)

_HOUR = timedelta(hours=1)


_TRIMMED_TOGETHER = 500


async def read(database: Database, backend: StorageBackend, region_id: int, now: datetime) -> None:
    """Reads the hours of a region's log that are over; what was read up to this hour already is not read again.

    The last hour of the time before is read once more, since a gateway writes its log with a delay; the first time ever
    one hour is read. An hour at a time, so that what breaks off is gone on with. Whatever is read twice, or was trimmed
    in between, the greater reading counts. Raises the errors of the backend.
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
    """Stores what was read of a region's log, which is known up to `until` then, and adds up the days."""

    async def store(conn: Connection) -> None:
        await traffic_queries.stage(conn, rows)
        await traffic_queries.record_read(conn, region_id, until)
        await traffic_queries.store(conn, region_id)
        await traffic_queries.add_up_days(conn)

    await database.transaction(store)


async def trim(database: Database, backend: StorageBackend, region_id: int, now: datetime) -> None:
    """Once a UTC day, lets a region's cluster forget what is older than KEPT_ON_CLUSTER and was read.

    Ceph keeps its log for ever, some 700 bytes for each bucket and busy hour. There is a call that trims everybody's,
    but that would take other people's along. So it is a call for each account, and only for those that had traffic on
    the days that go. Nothing depends on it: an account that cannot be trimmed is only logged, and goes along when it
    has been active again. A cluster that is away meanwhile is trimmed by the next run.
    """
    until = now.astimezone(UTC).date() - KEPT_ON_CLUSTER
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
            # With few accounts it takes more than that to be sure that it is the cluster. But nobody was answered.
            return
    await database.run(traffic_queries.record_trimmed, region_id, until)

"""The purge of storage accounts that are due: first on their cluster, then in the database."""

import logging
from datetime import datetime

from tonnage.access.actor import Actor
from tonnage.clock import BusinessClock
from tonnage.db import Connection, Database
from tonnage.errors import Unavailable
from tonnage.jobs import defer
from tonnage.provisioning import purge_queries
from tonnage.storage.backend import Purging
from tonnage.storage.concurrency import for_each_concurrently
from tonnage.storage.errors import BackendRefused

_log = logging.getLogger(__name__)

_BATCH = 100
"""Accounts that are claimed in one statement."""

PURGES_AT_ONCE = 4
"""Concurrent purges. A large account takes its cluster many minutes; small ones must not wait for it."""


async def purge_due(database: Database, backend: Purging, region_id: int, actor: Actor, clock: BusinessClock) -> int:
    """Purges every due account of a region; returns their number.

    Holds no transaction during requests to the cluster. Safe to interrupt at any point: the next run finds the purges
    that were started. One that fails does not block the others; at the end Unavailable, or else BackendRefused, is
    raised.
    """

    async def purge(account_id: int) -> bool:
        await backend.purge(account_id)
        return await database.transaction(_finish, actor, account_id, clock())

    now = clock()
    purged = 0
    away: Unavailable | None = None
    refused: BackendRefused | None = None
    async for due in database.pages(purge_queries.start_due_purges, region_id, now, id_of=int, size=_BATCH):
        outcome = await for_each_concurrently(due, purge, PURGES_AT_ONCE)
        purged += sum(gone for _, gone in outcome.done)
        if outcome.stopped:
            raise outcome.stopped
        for account_id, error in outcome.failed:
            _log.warning("storage account %d was not purged and will be tried again: %s", account_id, error)
            refused = error if isinstance(error, BackendRefused) else refused
        away = outcome.away or away
    if error := away or refused:
        raise error
    return purged


async def _finish(conn: Connection, actor: Actor, account_id: int, now: datetime) -> bool:
    """Runs in the caller's transaction. False: it was finished by another run already."""
    freed = await purge_queries.finish_purge(conn, account_id, now, actor.stamp)
    if freed is not None and freed.frees_capacity:
        await defer(conn, "provisioning.requota", freed.partner_id)
    return freed is not None

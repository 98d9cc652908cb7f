"""The purge of storage accounts that are due: first on their cluster, then in the database."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from tonnage.access.actor import Actor
from tonnage.clock import BusinessClock
from tonnage.db import Connection, Database
from tonnage.epoch.deletion_mark import DeletionMarks
from tonnage.epoch.deletion_mark_actions import mark_started, read_marks, remove_mark, set_mark
from tonnage.epoch.epoch import Permit
from tonnage.epoch.queries import require_permit
from tonnage.errors import Unavailable
from tonnage.jobs import defer
from tonnage.provisioning import purge_queries
from tonnage.provisioning.purge import DueAccount
from tonnage.storage.backend import ClusterUser, StorageBackend
from tonnage.storage.concurrency import for_each_concurrently
from tonnage.storage.errors import BackendRefused

_log = logging.getLogger(__name__)

_BATCH = 100
"""Accounts that are claimed in one statement."""

PURGES_AT_ONCE = 4
"""Concurrent purges. A large account takes its cluster many minutes; small ones must not wait for it."""


async def purge_due(
    database: Database, backend: StorageBackend, permitted: Permit, actor: Actor, clock: BusinessClock, grace: timedelta
) -> int:
    """Purges the due accounts of a region that have been marked on the cluster for the grace period; returns their
    number.

    Holds no transaction during requests to the cluster. Safe to interrupt at any point: the next run finds the purges
    that were started. One that fails does not block the others; at the end Unavailable, or else BackendRefused, is
    raised. OnHold: the database is older than the permission.
    """
    now = clock()
    marks = None if backend.bucket is None else await read_marks(backend.bucket)
    run = _Run(database, backend, permitted, actor, clock, marks, grace)
    purged = 0
    away: Unavailable | None = None
    refused: BackendRefused | None = None
    async for due in database.pages(
        purge_queries.due_accounts, permitted.region_id, now, id_of=lambda one: one.account_id, size=_BATCH
    ):
        allowed = [one.account_id for one in due if await _is_allowed(run, one)]
        claimed = await database.transaction(_claim, permitted, allowed, now) if allowed else []
        outcome = await for_each_concurrently(claimed, partial(_purge, run), PURGES_AT_ONCE)
        purged += sum(gone for _, gone in outcome.done)
        if outcome.stopped:
            raise outcome.stopped
        for user, error in outcome.failed:
            _log.warning("storage account %d was not purged and will be tried again: %s", user.account_id, error)
            refused = error if isinstance(error, BackendRefused) else refused
        away = outcome.away or away
    if error := away or refused:
        raise error
    return purged


@dataclass(frozen=True)
class _Run:
    database: Database
    backend: StorageBackend
    permitted: Permit
    actor: Actor
    clock: BusinessClock
    marks: DeletionMarks | None
    grace: timedelta


async def _is_allowed(run: _Run, account: DueAccount) -> bool:
    """Whether the cluster agrees to the purge: it has the account marked with that date, for long enough."""
    bucket, marks = run.backend.bucket, run.marks
    if bucket is None or marks is None or marks.allows_purge(account.account_id, account.due, run.grace):
        return True
    if await run.backend.state(account.user) is None:
        return True  # nothing can be destroyed: it was never created there, or is purged already
    if account.started:
        # By a release that set no marks. It waits as if it was scheduled now.
        await set_mark(bucket, marks, account.account_id, account.due)
    elif not marks.names(account.account_id, account.due):
        _log.warning("storage account %d is due for deletion, but not so marked on its cluster", account.account_id)
    return False


async def _claim(conn: Connection, permitted: Permit, account_ids: list[int], now: datetime) -> list[ClusterUser]:
    """Runs in the caller's transaction."""
    await require_permit(conn, permitted)
    return await purge_queries.start_purges(conn, account_ids, now)


async def _purge(run: _Run, user: ClusterUser) -> bool:
    bucket = run.backend.bucket
    if bucket is not None:
        await mark_started(bucket, user.account_id)
    await run.backend.purge(user)
    gone = await run.database.transaction(_finish, run.actor, user.account_id, run.clock())
    if bucket is not None and run.marks is not None:
        await remove_mark(bucket, run.marks, user.account_id)
    return gone


async def _finish(conn: Connection, actor: Actor, account_id: int, now: datetime) -> bool:
    """Runs in the caller's transaction. False: it was finished by another run already."""
    freed = await purge_queries.finish_purge(conn, account_id, now, actor.stamp)
    if freed is not None:
        await defer(conn, "usage.finish_days", account_id)
    if freed is not None and freed.frees_capacity:
        await defer(conn, "provisioning.requota", freed.partner_id)
    return freed is not None

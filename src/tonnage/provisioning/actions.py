"""Reconcile: applies the database's state of storage accounts to their clusters, and retries until it is applied."""

import logging
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from tonnage.db import Connection, Database
from tonnage.epoch.deletion_mark import DeletionMarks
from tonnage.epoch.deletion_mark_actions import read_marks, remove_mark, set_mark
from tonnage.epoch.epoch import Permit
from tonnage.epoch.queries import require_permit
from tonnage.errors import Unavailable
from tonnage.jobs import defer
from tonnage.provisioning import queries
from tonnage.provisioning.state import Applied, ProvisioningState
from tonnage.storage.backend import ClusterUser, StorageBackend
from tonnage.storage.concurrency import BatchResult, for_each_concurrently
from tonnage.storage.errors import BackendRefused

_log = logging.getLogger(__name__)

_BATCH = 500
"""Accounts that are read and recorded in one statement."""

_PARTNERS_OF_JOB = 25
"""Partners that a job is about, at most: their ids are in its lock, which is indexed."""
_PARTNERS = 100
"""Partners whose accounts are read together."""


async def reconcile(database: Database, backend: StorageBackend, permitted: Permit) -> int:
    """Applies every pending account of a region to its cluster; returns their number.

    Holds no transaction during requests to the cluster. Safe to interrupt at any point: what was not recorded is
    applied again, which is idempotent. One account that fails does not block the others. Unavailable: some are still
    pending. OnHold: the database is older than the permission.
    """
    applied = 0
    away: Unavailable | None = None
    marks = await marks_of(backend)
    async for some in database.pages(_pending, permitted, id_of=account_id_of, size=_BATCH):
        outcome = await for_each_concurrently(some, lambda account: apply(backend, account, marks, permitted.now))
        await record(database, backend, permitted.region_id, outcome)
        if outcome.stopped:
            raise outcome.stopped
        applied += len(outcome.done)
        away = outcome.away or away
    if away:
        raise away
    return applied


def account_id_of(account: ProvisioningState | ClusterUser) -> int:
    """The cursor of the pages of accounts."""
    return account.account_id


async def _pending(conn: Connection, permitted: Permit, after: int, limit: int) -> list[ProvisioningState]:
    await require_permit(conn, permitted)
    return await queries.pending(conn, permitted.region_id, after, limit)


async def marks_of(backend: StorageBackend) -> DeletionMarks | None:
    """The marks on a cluster; None where there is no cluster."""
    return None if backend.bucket is None else await read_marks(backend.bucket)


async def apply(
    backend: StorageBackend, account: ProvisioningState, marks: DeletionMarks | None, now: datetime
) -> Applied:
    """Applies the desired state of one account to the cluster, and its mark if it waits for its deletion.

    An account that does not wait loses its mark first: an interruption in between delays a deletion at most.
    """
    if backend.bucket is not None and marks is not None and account.due is None:
        await remove_mark(backend.bucket, marks, account.account_id)
    try:
        changes = await backend.apply(account.desired)
    except BackendRefused:
        # Another user has its e-mail address, for example. Its deletion is not affected.
        await mark(backend, account, marks, now)
        raise
    if changes:
        _log.info("storage account %d updated on its cluster: %s", account.account_id, ", ".join(changes))
    await mark(backend, account, marks, now)
    return Applied.of(account, made="account" in changes)


async def mark(backend: StorageBackend, account: ProvisioningState, marks: DeletionMarks | None, now: datetime) -> None:
    """Marks an account that waits for its deletion.

    One that is due already should have its mark. If it has none, the deletion was perhaps cancelled by a newer
    database, so it is left to the operator.
    """
    if backend.bucket is not None and marks is not None and account.due is not None and account.due > now:
        await set_mark(backend.bucket, marks, account.account_id, account.due)


async def record(
    database: Database, backend: StorageBackend, region_id: int, outcome: BatchResult[ProvisioningState, Applied]
) -> None:
    """Records what was applied and what was refused. Purges an account again that was created after its purge had
    started."""
    applied = [applied for _, applied in outcome.done]
    leaving = await database.transaction(_record, region_id, applied) if applied else set[int]()
    await for_each_concurrently([one.user for one in applied if one.made and one.account_id in leaving], backend.purge)
    for account, error in outcome.failed:
        # If no request succeeded, the cluster itself is at fault, and the region's health check reports it.
        if outcome.done or isinstance(error, BackendRefused):
            _log.warning("storage account %d could not be updated on its cluster: %s", account.account_id, error)
        if isinstance(error, BackendRefused):
            await database.run(queries.record_refusal, account.account_id, account.desired_revision, str(error))


async def _record(conn: Connection, region_id: int, applied: list[Applied]) -> set[int]:
    """Runs in the caller's transaction; returns the accounts whose purge has started."""
    noted = await queries.record_applied(conn, applied)
    if any(one.overtaken for one in noted):
        await defer(conn, "provisioning.reconcile", region_id)
    return {one.account_id for one in noted if one.leaving}


async def requota(database: Database, partner_ids: Sequence[UUID]) -> int:
    """Enqueues a reconcile for every account of these partners in a pool whose quota differs from the applied one;
    returns their number.

    For partners whose pool has changed. Accounts that are already pending are included: the reconcile under way may
    have read the old pool. Accounts that the cluster refuses are excluded; they get their quota with the next change
    that it accepts.
    """
    count = 0
    for first in range(0, len(partner_ids), _PARTNERS):
        count += await _requota(database, partner_ids[first : first + _PARTNERS])
    return count


async def requota_sampled(database: Database, region_id: int) -> int:
    """The same after new samples of a region, for the partners whose pool these may have changed. Their accounts in
    other regions share that pool.
    """
    return await requota(database, await database.run(queries.partners_with_pool, region_id))


async def defer_reapply(conn: Connection, partner_ids: Sequence[UUID]) -> None:
    """Defers what a suspension or its end changes on the clusters, in the transaction that changes it: a job for many
    partners, since thousands of them can be suspended at once."""
    for first in range(0, len(partner_ids), _PARTNERS_OF_JOB):
        some = partner_ids[first : first + _PARTNERS_OF_JOB]
        await defer(conn, "provisioning.reapply_partners", " ".join(str(one) for one in some))


async def reapply_partners(database: Database, partner_ids: Sequence[UUID], most: int = _BATCH) -> None:
    """Enqueues a reconcile for the accounts of partners that were suspended or resumed, some at a time. Interrupted, it
    begins again: what is applied twice changes nothing."""
    after: tuple[UUID | None, int | None] = (None, None)
    found = most
    while found == most:
        part = await database.transaction(_reapply, partner_ids, after, most)
        after, found = (part.last_partner, part.last), part.accounts


async def _reapply(
    conn: Connection, partner_ids: Sequence[UUID], after: tuple[UUID | None, int | None], most: int
) -> queries.MarkedPart:
    part = await queries.mark_accounts_of(conn, partner_ids, after, most)
    for region_id in part.regions:
        await defer(conn, "provisioning.reconcile", region_id)
    return part


async def _requota(database: Database, partner_ids: Sequence[UUID]) -> int:
    count = 0
    async for some in database.pages(queries.pooled, partner_ids, id_of=account_id_of, size=_BATCH):
        changed = [
            one.account_id
            for one in some
            if not one.refused and (not one.is_applied or one.desired.write_limit != one.applied_quota)
        ]
        if changed:
            await database.transaction(_enqueue, changed)
        count += len(changed)
    return count


async def _enqueue(conn: Connection, account_ids: list[int]) -> None:
    for region_id in await queries.mark_needs_apply(conn, account_ids):
        await defer(conn, "provisioning.reconcile", region_id)

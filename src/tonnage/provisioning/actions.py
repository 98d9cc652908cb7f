"""Reconcile: applies the database's state of storage accounts to their clusters, and retries until it is applied."""

import logging
from uuid import UUID

from tonnage.db import Connection, Database
from tonnage.errors import Unavailable
from tonnage.jobs import defer
from tonnage.provisioning import queries
from tonnage.provisioning.state import Applied, ProvisioningState
from tonnage.storage.backend import StorageBackend
from tonnage.storage.concurrency import BatchResult, for_each_concurrently
from tonnage.storage.errors import BackendRefused

_log = logging.getLogger(__name__)

_BATCH = 500
"""Accounts that are read and recorded in one statement."""


async def reconcile(database: Database, backend: StorageBackend, region_id: int) -> int:
    """Applies every pending account of a region to its cluster; returns their number.

    Holds no transaction during requests to the cluster. Safe to interrupt at any point: what was not recorded is
    applied again, which is idempotent. One account that fails does not block the others. Unavailable: some are still
    pending.
    """
    applied = 0
    away: Unavailable | None = None
    async for some in database.pages(queries.pending, region_id, id_of=account_id_of, size=_BATCH):
        outcome = await for_each_concurrently(some, lambda account: apply(backend, account))
        await record(database, backend, region_id, outcome)
        if outcome.stopped:
            raise outcome.stopped
        applied += len(outcome.done)
        away = outcome.away or away
    if away:
        raise away
    return applied


def account_id_of(account: ProvisioningState) -> int:
    """The cursor of the pages of accounts."""
    return account.account_id


async def apply(backend: StorageBackend, account: ProvisioningState) -> Applied:
    """Applies the desired state of one account to the cluster."""
    changes = await backend.apply(account.desired)
    if changes:
        _log.info("storage account %d updated on its cluster: %s", account.account_id, ", ".join(changes))
    return Applied.of(account, made="account" in changes)


async def record(
    database: Database, backend: StorageBackend, region_id: int, outcome: BatchResult[ProvisioningState, Applied]
) -> None:
    """Records what was applied and what was refused. Purges an account again that was created after its purge had
    started."""
    applied = [applied for _, applied in outcome.done]
    leaving = await database.transaction(_record, region_id, applied) if applied else set[int]()
    await for_each_concurrently(
        [one.account_id for one in applied if one.made and one.account_id in leaving], backend.purge
    )
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


async def requota(database: Database, partner_id: UUID | None) -> int:
    """Enqueues a reconcile for every elastic account whose quota differs from the applied one; returns their number.

    `partner_id`: the partner whose pool has changed; None: all partners, since new samples change every pool. Accounts
    that are already pending are included: the reconcile under way may have read the old pool. Accounts that the cluster
    refuses are excluded; they get their quota with the next change that it accepts.
    """
    count = 0
    async for some in database.pages(queries.elastic, partner_id, id_of=account_id_of, size=_BATCH):
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

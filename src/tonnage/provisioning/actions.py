"""Clusters are made to be what the database says: what has changed is told, and told again until it is done."""

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
"""Accounts that are looked at, and noted, in one statement."""


async def reconcile(database: Database, backend: StorageBackend, region_id: int) -> int:
    """Tells a region's cluster of every account that has changed; gives their number.

    Holds no transaction while it talks to the cluster, and may be interrupted anywhere: what was not noted is told
    again, which changes nothing. One account that cannot be told keeps no other waiting. Unavailable: some are left.
    """
    told = 0
    away: Unavailable | None = None
    async for some in database.pages(queries.pending, region_id, id_of=account_id_of, size=_BATCH):
        outcome = await for_each_concurrently(some, lambda account: apply(backend, account))
        await record(database, backend, region_id, outcome)
        if outcome.stopped:
            raise outcome.stopped
        told += len(outcome.done)
        away = outcome.away or away
    if away:
        raise away
    return told


def account_id_of(account: ProvisioningState) -> int:
    """By which accounts are gone through."""
    return account.account_id


async def apply(backend: StorageBackend, account: ProvisioningState) -> Applied:
    """Makes one account on the cluster what it should be."""
    changes = await backend.apply(account.desired)
    if changes:
        _log.info("storage account %d on its cluster: %s", account.account_id, ", ".join(changes))
    return Applied.of(account, made="account" in changes)


async def record(
    database: Database, backend: StorageBackend, region_id: int, outcome: BatchResult[ProvisioningState, Applied]
) -> None:
    """Notes what was told and what was refused, and takes back what was made of an account whose purge had begun."""
    told = [told for _, told in outcome.done]
    leaving = await database.transaction(_record, region_id, told) if told else set[int]()
    await for_each_concurrently(
        [one.account_id for one in told if one.made and one.account_id in leaving], backend.purge
    )
    for account, error in outcome.failed:
        # While nobody is answered it is the cluster, of which others tell.
        if outcome.done or isinstance(error, BackendRefused):
            _log.warning("storage account %d is not on its cluster as it should be: %s", account.account_id, error)
        if isinstance(error, BackendRefused):
            await database.run(queries.record_refusal, account.account_id, account.desired_revision, str(error))


async def _record(conn: Connection, region_id: int, told: list[Applied]) -> set[int]:
    """In the caller's transaction; gives the accounts that are leaving."""
    noted = await queries.record_applied(conn, told)
    if any(one.overtaken for one in noted):
        await defer(conn, "provisioning.reconcile", region_id)
    return {one.account_id for one in noted if one.leaving}


async def requota(database: Database, partner_id: UUID | None) -> int:
    """Lets clusters hear of every elastic account whose quota is not what it was told; gives their number.

    A partner's accounts, when its pool has changed; for None everybody's, since new samples change all pools. One of
    which the cluster must hear anyway is no exception: who tells it may have read the old pool already. One that the
    cluster refuses gets its quota when it no longer does.
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

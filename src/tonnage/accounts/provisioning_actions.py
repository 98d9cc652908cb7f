"""Clusters are made to be what the database says: what has changed is told, and told again until it is done."""

import logging
from uuid import UUID

from tonnage.accounts import provisioning_queries as queries
from tonnage.accounts.provisioning import Standing
from tonnage.accounts.provisioning_queries import Told
from tonnage.db import Connection, Database
from tonnage.errors import Unavailable
from tonnage.jobs import defer
from tonnage.storage.abreast import Outcome, abreast
from tonnage.storage.errors import PlaneRefused
from tonnage.storage.plane import StoragePlane

_log = logging.getLogger(__name__)

_AT_ONCE = 500
"""Accounts that are looked at, and noted, in one statement."""


async def reconcile(database: Database, plane: StoragePlane, region_id: int) -> int:
    """Tells a region's cluster of every account that has changed; gives their number.

    Holds no transaction while it talks to the cluster, and may be interrupted anywhere: what was not noted is told
    again, which changes nothing. One account that cannot be told keeps no other waiting. Unavailable: some are left.
    """
    told, after = 0, 0
    away: Unavailable | None = None
    while some := await database.run(lambda conn, after=after: queries.untold(conn, region_id, after, _AT_ONCE)):
        outcome = await abreast(some, lambda account: tell(plane, account))
        await keep(database, outcome)
        if outcome.stopped:
            raise outcome.stopped
        told += len(outcome.done)
        away = next((error for _, error in outcome.failed if isinstance(error, Unavailable)), away)
        after = some[-1].account_id
    if away:
        raise away
    return told


async def tell(plane: StoragePlane, account: Standing) -> Told:
    """Makes one account on the cluster what it should be."""
    desired = account.desired
    changes = await plane.apply(desired)
    if changes:
        _log.info("storage account %d on its cluster: %s", account.account_id, ", ".join(changes))
    return Told(account.account_id, account.desired_revision, desired.write_limit)


async def keep(database: Database, outcome: Outcome[Standing, Told]) -> None:
    """Notes what was told and what was refused."""
    if outcome.done:
        await database.run(lambda conn: queries.note_told(conn, [told for _, told in outcome.done]))
    for account, error in outcome.failed:
        if not outcome.stopped or isinstance(error, PlaneRefused):
            _log.warning("storage account %d is not on its cluster as it should be: %s", account.account_id, error)
        if isinstance(error, PlaneRefused):
            await database.run(
                lambda conn, account=account, error=error: queries.note_refusal(
                    conn, account.account_id, account.desired_revision, str(error)
                )
            )


async def requota(database: Database, partner_id: UUID | None) -> int:
    """Lets clusters hear of every elastic account whose quota is not what it was told; gives their number.

    A partner's accounts, when its pool has changed; for None everybody's, since new samples change all pools. One of
    which the cluster must hear anyway is no exception: who tells it may have read the old pool already.
    """
    count, after = 0, 0
    while some := await database.run(lambda conn, after=after: queries.elastic(conn, partner_id, after, _AT_ONCE)):
        changed = [one.account_id for one in some if not one.is_told or one.desired.write_limit != one.told_quota]
        if changed:
            await database.transaction(lambda conn, changed=changed: _let_hear(conn, changed))
        count += len(changed)
        after = some[-1].account_id
    return count


async def _let_hear(conn: Connection, account_ids: list[int]) -> None:
    for region_id in await queries.must_hear(conn, account_ids):
        await defer(conn, "accounts.reconcile", region_id)

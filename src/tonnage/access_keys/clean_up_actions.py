"""The end of access keys whose creation or deletion was interrupted."""

import logging
from datetime import datetime

from tonnage.access_keys import queries
from tonnage.access_keys.access_key import PENDING_TIMEOUT
from tonnage.access_keys.queries import IncompleteKey
from tonnage.db import Connection, Database
from tonnage.epoch.epoch import Permit
from tonnage.epoch.queries import require_permit
from tonnage.storage.backend import StorageBackend
from tonnage.storage.concurrency import for_each_concurrently

_log = logging.getLogger(__name__)

_CLEAN_UP_CONCURRENCY = 4


async def clean_up_keys(database: Database, backend: StorageBackend, permitted: Permit, now: datetime) -> list[str]:
    """Deletes keys of a region whose creation or deletion was interrupted; returns a sentence about each.

    One that fails does not block the others. Unavailable: some are left. OnHold: the database is older than the
    permission.
    """
    left = await database.run(_expire, permitted, now)

    async def clean_up(key: IncompleteKey) -> None:
        await backend.delete_key(*key)
        await database.run(queries.remove_key, key.user.account_id, key.access_key)

    outcome = await for_each_concurrently(left, clean_up, _CLEAN_UP_CONCURRENCY)
    for key, error in outcome.failed:
        _log.warning(
            "could not delete access key %s of storage account %d: %s", key.access_key, key.user.account_id, error
        )
    if outcome.away:
        raise outcome.away
    return [
        f"Deleted leftover access key {key.access_key} of storage account {key.user.account_id}."
        for key, _ in outcome.done
    ]


async def _expire(conn: Connection, permitted: Permit, now: datetime) -> list[IncompleteKey]:
    await require_permit(conn, permitted)
    return await queries.expire_pending(conn, permitted.region_id, now - PENDING_TIMEOUT, now)

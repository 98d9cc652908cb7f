"""What can be done to access keys. Nobody holds a transaction while the cluster is asked.

A key's row is written before that: whatever breaks off in between, `clean_up_keys` finds it. Its secret is in the
response, and nowhere else.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime
from uuid import UUID

from psycopg.errors import LockNotAvailable

from tonnage.access.actor import Actor, Role
from tonnage.access_keys import queries
from tonnage.access_keys.access_key import (
    PENDING_TIMEOUT,
    CreatedKey,
    may_be_access_key,
    new_access_key,
    not_made_here,
    too_many,
)
from tonnage.access_keys.queries import KeyAccount
from tonnage.accounts.actions import no_account
from tonnage.db import Connection, Database
from tonnage.errors import Conflict, NotFound, TonnageError, Unavailable
from tonnage.jobs import defer
from tonnage.services import Services
from tonnage.storage.backend import MAX_ACCESS_KEYS, AccessKey, Backends, StorageBackend
from tonnage.storage.concurrency import for_each_concurrently
from tonnage.storage.errors import NotProvisioned, NotReached, TooManyKeys

_log = logging.getLogger(__name__)


DEADLINE = 10.0
"""Seconds for a key, waiting for a connection and for locks included: a person waits."""

_CLEAN_UP_CONCURRENCY = 4


async def create_key(
    services: Services,
    actor: Actor,
    partner_id: UUID,
    account_id: int,
    description: str | None,
    deadline: float = DEADLINE,
) -> CreatedKey:
    """The new key, and this once its secret. 10 seconds at most.

    Conflict: the account has as many as it may, it is being purged, its region is metered only, or the cluster says no.
    NotProvisioned: the cluster has not heard of the account yet. Misconfigured: its sentence is for the operator alone.
    After another Unavailable there may be a key: then it stays hidden and is deleted later; whoever wants one asks
    again, and gets another.
    """
    actor.require(actor.kind, Role.STAFF)
    access_key = new_access_key()
    async with _within_deadline(deadline):
        home = await services.database.transaction(
            _begin, actor, partner_id, account_id, access_key, description, services.wall_clock()
        )
        backend, made = await _create_on_cluster(services, home, account_id, access_key)
        now = services.wall_clock()
        facts = await services.database.run(queries.activate_key, access_key, now, actor.stamp)
    if facts is None:
        # What gave it up may have deleted it before it was made, and looks no more.
        await backend.delete_key(account_id, access_key)
        raise Unavailable("Making the access key took too long, and it was given up; try again.")
    return CreatedKey(made, facts.with_member("secretKey", made.secret_key))


@asynccontextmanager
async def _within_deadline(deadline: float) -> AsyncGenerator[None]:
    """What is interrupted has left a row that `clean_up_keys` finds, or has done nothing yet."""
    try:
        async with asyncio.timeout(deadline):
            yield
    except TimeoutError as error:
        raise Unavailable("The access key could not be made or deleted in time; try again later.") from error


async def _begin(
    conn: Connection,
    actor: Actor,
    partner_id: UUID,
    account_id: int,
    access_key: str,
    description: str | None,
    now: datetime,
) -> KeyAccount:
    home = await _lock_account(conn, actor, partner_id, account_id)
    if home.keys >= MAX_ACCESS_KEYS:
        raise too_many(home.keys, home.pending)
    await queries.insert_key(conn, account_id, access_key, description, now)
    return home


async def _create_on_cluster(
    services: Services, home: KeyAccount, account_id: int, access_key: str
) -> tuple[StorageBackend, AccessKey]:
    """The key, and where it is. Its row goes when it surely is not there: they would use up all that there may be."""
    try:
        backend = await _backend(services.backends, home)
        return backend, await backend.create_key(account_id, access_key)
    except (NotReached, NotProvisioned, Conflict) as error:
        failure = error
    await services.database.run(queries.remove_key, access_key)
    raise await _error_for_client(services.database, home, account_id, failure)


async def _backend(backends: Backends, home: KeyAccount) -> StorageBackend:
    try:
        return await backends.of(home.region_id)
    except Unavailable as error:
        raise NotReached(error) from error


async def _error_for_client(
    database: Database, home: KeyAccount, account_id: int, failure: TonnageError
) -> TonnageError:
    """What to tell whoever has asked for the key."""
    match failure:
        case NotReached():
            return failure.reason
        case NotProvisioned() if home.refusal:
            return Conflict(
                "The account is not on the storage cluster, and has no access keys there. {why}", why=home.refusal
            )
        case TooManyKeys():
            here = await database.run(queries.keys_of, [account_id])
            return not_made_here(failure.access_keys, here.get(account_id, {})) or failure
        case _:
            return failure


async def _lock_account(conn: Connection, actor: Actor, partner_id: UUID, account_id: int) -> KeyAccount:
    try:
        home = await queries.lock_account(conn, actor.organisation_id, partner_id, account_id)
    except LockNotAvailable as error:
        raise Unavailable(
            "The account is busy with something long, such as an import of its usage; try again in a minute."
        ) from error
    if home is None:
        raise no_account(account_id)
    if not home.on_cluster:
        raise Conflict("The region of this account is metered only; its access keys are made on the cluster itself.")
    if home.purging:
        raise Conflict("The account is being deleted right now, and its access keys with it.")
    return home


async def delete_key(
    services: Services,
    actor: Actor,
    partner_id: UUID,
    account_id: int,
    access_key: str,
    deadline: float = DEADLINE,
) -> None:
    """Ends a key: it fails from its next request on. 10 seconds at most.

    NotFound: the account has no such key. Conflict, Misconfigured: as for `create_key`. Unavailable: the cluster may
    not have heard of it; it is told as soon as it can be, if the list of keys says that the key is being deleted.
    """
    actor.require(actor.kind, Role.STAFF)
    if not may_be_access_key(access_key):
        raise no_key(account_id)
    async with _within_deadline(deadline):
        region_id = await services.database.transaction(
            _end, actor, partner_id, account_id, access_key, services.wall_clock()
        )
        try:
            backend = await services.backends.of(region_id)
            await backend.delete_key(account_id, access_key)
        except Unavailable:
            # A key that has leaked must not live until somebody asks again.
            await services.database.run(defer, "access_keys.clean_up", region_id)
            raise
        await services.database.run(queries.remove_key, access_key)


async def _end(
    conn: Connection, actor: Actor, partner_id: UUID, account_id: int, access_key: str, now: datetime
) -> int:
    home = await _lock_account(conn, actor, partner_id, account_id)
    if not await queries.start_deletion(conn, account_id, access_key, now, actor.stamp):
        raise no_key(account_id)
    return home.region_id


def no_key(account_id: int) -> NotFound:
    """Does not repeat the key: who mixes the two up would find the secret in a log."""
    return NotFound(
        "The storage account {account} has no such access key; its list of access keys has all of them.",
        account=str(account_id),
    )


async def clean_up_keys(database: Database, backend: StorageBackend, region_id: int, now: datetime) -> list[str]:
    """Deletes what is left of keys whose making or deletion broke off; says what it did, a sentence each.

    One that cannot be deleted keeps no other waiting. Unavailable: some are left.
    """
    left = await database.run(queries.expire_pending, region_id, now - PENDING_TIMEOUT)

    async def settle(key: tuple[int, str]) -> None:
        await backend.delete_key(*key)
        await database.run(queries.remove_key, key[1])

    outcome = await for_each_concurrently(left, settle, _CLEAN_UP_CONCURRENCY)
    for (account_id, access_key), error in outcome.failed:
        _log.warning("access key %s of storage account %d is not deleted: %s", access_key, account_id, error)
    if outcome.away:
        raise outcome.away
    return [
        f"The access key {access_key} of storage account {account_id}, which was left over, is deleted."
        for (account_id, access_key), _ in outcome.done
    ]

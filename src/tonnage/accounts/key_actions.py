"""What can be done to access keys. Nobody holds a transaction while the cluster is asked.

A key's row is written before that: whatever breaks off in between, `settle_keys` finds it. Its secret is in the answer
to whoever asked for it, and nowhere else.
"""

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from uuid import UUID

from psycopg.errors import LockNotAvailable

from tonnage.access.actor import Actor, Role
from tonnage.accounts import key_queries
from tonnage.accounts.access_key import (
    SETTLE_AFTER,
    State,
    key_drift,
    may_be_access_key,
    new_access_key,
    too_many,
    unknown_here,
)
from tonnage.accounts.actions import no_account
from tonnage.accounts.key_queries import Home
from tonnage.accounts.sweep import LEFT, Finding
from tonnage.clock import Clock
from tonnage.db import Connection, Database
from tonnage.errors import Conflict, NotFound, TonnageError, Unavailable
from tonnage.jobs import defer
from tonnage.regions.planes import Planes
from tonnage.storage.abreast import abreast
from tonnage.storage.errors import NoKeyLeft, NotAsked, NotProvisioned
from tonnage.storage.plane import MAX_ACCESS_KEYS, AccessKey, StoragePlane

_log = logging.getLogger(__name__)


_PATIENCE = 10.0
"""Seconds for a key, waiting for a connection and for locks included: a person waits."""

_SETTLED_AT_ONCE = 4


async def create_key(
    database: Database,
    planes: Planes,
    actor: Actor,
    partner_id: UUID,
    account_id: int,
    description: str | None,
    clock: Clock,
) -> bytes:
    """The new key as JSON, and this once its secret. 10 seconds at most.

    Conflict: the account has as many as it may, it is being purged, its region is metered only, or the cluster says no.
    NotProvisioned: the cluster has not heard of the account yet. Misconfigured: its sentence is for the operator alone.
    After another Unavailable there may be a key: then it stays hidden and is deleted later; whoever wants one asks
    again, and gets another.
    """
    actor.require(actor.kind, Role.STAFF)
    access_key = new_access_key()
    async with _in_time():
        home = await database.transaction(
            lambda conn: _begin(conn, actor, partner_id, account_id, access_key, description, clock())
        )
        plane, made = await _made(database, planes, home, account_id, access_key)
        facts = await database.run(lambda conn: key_queries.enliven_key(conn, access_key, clock(), actor.stamp))
    if facts is None:
        # What gave it up may have deleted it before it was made, and looks no more.
        await plane.delete_key(account_id, access_key)
        raise Unavailable("Making the access key took too long, and it was given up; try again.")
    return json.dumps({**json.loads(facts), "secretKey": made.secret_key}, ensure_ascii=False).encode()


@asynccontextmanager
async def _in_time() -> AsyncGenerator[None]:
    """What is interrupted has left a row that `settle_keys` finds, or has done nothing yet."""
    try:
        async with asyncio.timeout(_PATIENCE):
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
) -> Home:
    home = await _home(conn, actor, partner_id, account_id)
    if home.keys >= MAX_ACCESS_KEYS:
        raise too_many(home.keys, home.unsettled)
    await key_queries.insert_key(conn, account_id, access_key, description, now)
    return home


async def _made(
    database: Database, planes: Planes, home: Home, account_id: int, access_key: str
) -> tuple[StoragePlane, AccessKey]:
    """The key, and where it is. Its row goes when it surely is not there: they would use up all that there may be."""
    try:
        plane = await _plane(planes, home)
        return plane, await plane.create_key(account_id, access_key)
    except (NotAsked, NotProvisioned, Conflict) as error:
        failure = error
    await database.run(lambda conn: key_queries.remove_key(conn, access_key))
    raise await _reason(database, home, account_id, failure)


async def _plane(planes: Planes, home: Home) -> StoragePlane:
    try:
        return await planes.of(home.region_id)
    except Unavailable as error:
        raise NotAsked(error) from error


async def _reason(database: Database, home: Home, account_id: int, failure: TonnageError) -> TonnageError:
    """What to tell whoever has asked for the key."""
    match failure:
        case NotAsked():
            return failure.reason
        case NotProvisioned() if home.refusal:
            return Conflict(
                "The account is not on the storage cluster, and has no access keys there. {why}", why=home.refusal
            )
        case NoKeyLeft():
            here = await database.run(lambda conn: key_queries.keys_of(conn, [account_id]))
            return unknown_here(failure.access_keys, here.get(account_id, {})) or failure
        case _:
            return failure


async def _home(conn: Connection, actor: Actor, partner_id: UUID, account_id: int) -> Home:
    try:
        home = await key_queries.lock_home(conn, actor.organisation_id, partner_id, account_id)
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
    database: Database,
    planes: Planes,
    actor: Actor,
    partner_id: UUID,
    account_id: int,
    access_key: str,
    clock: Clock,
) -> None:
    """Ends a key: it fails from its next request on. 10 seconds at most.

    NotFound: the account has no such key. Conflict, Misconfigured: as for `create_key`. Unavailable: the cluster may
    not have heard of it; it is told as soon as it can be, if the list of keys says that the key is being deleted.
    """
    actor.require(actor.kind, Role.STAFF)
    if not may_be_access_key(access_key):
        raise no_key(account_id)
    async with _in_time():
        region_id = await database.transaction(
            lambda conn: _end(conn, actor, partner_id, account_id, access_key, clock())
        )
        try:
            plane = await planes.of(region_id)
            await plane.delete_key(account_id, access_key)
        except Unavailable:
            # A key that has leaked must not live until somebody asks again.
            await database.run(lambda conn: defer(conn, "accounts.settle", region_id))
            raise
        await database.run(lambda conn: key_queries.remove_key(conn, access_key))


async def _end(
    conn: Connection, actor: Actor, partner_id: UUID, account_id: int, access_key: str, now: datetime
) -> int:
    home = await _home(conn, actor, partner_id, account_id)
    if not await key_queries.end_key(conn, account_id, access_key, now, actor.stamp):
        raise no_key(account_id)
    return home.region_id


def no_key(account_id: int) -> NotFound:
    """Does not repeat the key: who mixes the two up would find the secret in a log."""
    return NotFound(
        "The storage account {account} has no such access key; its list of access keys has all of them.",
        account=str(account_id),
    )


async def settle_keys(database: Database, plane: StoragePlane, region_id: int, now: datetime) -> list[str]:
    """Deletes what is left of keys whose making or deletion broke off; says what it did, a sentence each.

    One that cannot be deleted keeps no other waiting. Unavailable: some are left.
    """
    left = await database.run(lambda conn: key_queries.give_up_unsettled(conn, region_id, now - SETTLE_AFTER))

    async def settle(key: tuple[int, str]) -> None:
        await plane.delete_key(*key)
        await database.run(lambda conn: key_queries.remove_key(conn, key[1]))

    outcome = await abreast(left, settle, _SETTLED_AT_ONCE)
    for (account_id, access_key), error in outcome.failed:
        _log.warning("access key %s of storage account %d is not deleted: %s", access_key, account_id, error)
    if outcome.away:
        raise outcome.away
    return [
        f"The access key {access_key} of storage account {account_id}, which was left over, is deleted."
        for (account_id, access_key), _ in outcome.done
    ]


async def compare_keys(
    database: Database,
    actor: Actor,
    before: Mapping[int, Mapping[str, State]],
    on_cluster: Mapping[int, Sequence[str]],
    *,
    repair: bool,
) -> list[Finding]:
    """How the keys of some accounts differ from those on their cluster. `repair`: what is lost there goes here too.

    `before`: their keys as `keys_of` had them before the cluster was asked for `on_cluster`, the keys by account.
    """
    drifts = {account: key_drift(before.get(account, {}), keys) for account, keys in on_cluster.items()}
    lost = [(account, key) for account, drift in drifts.items() for key in drift.lost]
    if lost and repair:
        # Without those that have gone by their owner's wish meanwhile.
        keys = [key for _, key in lost]
        lost = await database.run(lambda conn: key_queries.lose_keys(conn, keys, actor.stamp))
    doubtful = [account for account, drift in drifts.items() if drift.unknown]
    # What was made after `before` is known by now.
    after = await database.run(lambda conn: key_queries.keys_of(conn, doubtful)) if doubtful else {}
    unknown = [(one, key) for one in doubtful for key in drifts[one].unknown if key not in after.get(one, {})]
    return [
        *(Finding(_subject(*key), "is not on the cluster", "forgotten", repaired=repair) for key in lost),
        *(Finding(_subject(*key), "is on the cluster, and unknown here", LEFT) for key in unknown),
    ]


def _subject(account_id: int, access_key: str) -> str:
    return f"access key {access_key} of storage account {account_id}"

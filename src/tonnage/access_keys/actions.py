"""Actions on access keys. No transaction is held during requests to the cluster.

A key's row is inserted before the request, so `clean_up_keys` finds it after an interruption; `_abandon` has the case
in which it may be active already. The secret is only in the response; it is stored nowhere.
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
    no_key,
    not_made_here,
    too_many,
)
from tonnage.access_keys.queries import KeyAccount
from tonnage.accounts.actions import no_account
from tonnage.db import Connection, Database
from tonnage.db.deadlines import WaitLimit, limited
from tonnage.db.rendered import with_member
from tonnage.error_codes import ConflictCode, UnavailableCode
from tonnage.errors import Conflict, TonnageError, Unavailable
from tonnage.idempotency.queries import discard_response, reserve_response, save_empty_response
from tonnage.jobs import defer
from tonnage.sealing import read_keys
from tonnage.services import Services
from tonnage.storage.backend import MAX_ACCESS_KEYS, AccessKey, Backends, StorageBackend
from tonnage.storage.errors import NotProvisioned, NotReached, TooManyKeys, metered_only

_log = logging.getLogger(__name__)


DEADLINE = 10.0
"""Seconds for an operation on a key, waiting for a connection and for locks included: a person waits for it."""

_ABANDON_WAIT = 5.0
"""Seconds for abandoning a key, which begins when the deadline may have passed already."""


async def create_key(
    services: Services,
    actor: Actor,
    partner_id: UUID,
    account_id: int,
    description: str | None,
    deadline: float = DEADLINE,
) -> CreatedKey:
    """Creates a key; the result is the only place where its secret appears. Takes at most 10 seconds, and 5 more if
    the key has to be abandoned.

    Conflict: the account has the maximum number of keys, it is being purged, its region is metered only, or the cluster
    refuses. NotProvisioned: the account is not yet on the cluster. Misconfigured: its message is for the operator only.
    After another Unavailable the key may exist: it stays hidden and is deleted later; a retry creates another one.
    A retry with the same Idempotency-Key waits until the first attempt has a response, or is given up.
    """
    actor.require_for_storage(Role.STAFF)
    access_key = new_access_key()
    async with _within_deadline(deadline):
        home = await services.database.transaction(
            _begin, actor, partner_id, account_id, access_key, description, services.wall_clock()
        )
        backend, made = await _create_on_cluster(services, home, access_key)
        now = services.wall_clock()
        try:
            facts = await services.database.run(
                queries.activate_key, account_id, access_key, now, actor.stamp, _sealed(services, actor, made)
            )
        except BaseException:
            await asyncio.shield(_abandon(services, actor, backend, home, access_key))
            raise
    if facts is None:
        # The clean-up that gave the key up may have run before the key was created, and does not run for it again.
        await backend.delete_key(home.user, access_key)
        raise Unavailable(
            "Creating the access key took too long, so it was discarded. Try again.",
            UnavailableCode.CLUSTER_UNAVAILABLE,
        )
    return CreatedKey(made, with_member(facts, "secretKey", made.secret_key))


def _sealed(services: Services, actor: Actor, made: AccessKey) -> str | None:
    """The secret, for a repetition of the response to a request with an Idempotency-Key."""
    if actor.request is None or services.key_file is None:
        return None
    return read_keys(services.key_file).seal(made.secret_key.encode()).decode()


@asynccontextmanager
async def _within_deadline(deadline: float) -> AsyncGenerator[None]:
    """An interrupted operation has changed nothing, or left a row that `clean_up_keys` finds, or was abandoned."""
    try:
        async with asyncio.timeout(deadline):
            yield
    except TimeoutError as error:
        raise Unavailable(
            "The access key could not be created or deleted in time. Try again later.",
            UnavailableCode.CLUSTER_UNAVAILABLE,
        ) from error


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
    await reserve_response(conn, actor, PENDING_TIMEOUT.total_seconds())
    return home


async def _create_on_cluster(services: Services, home: KeyAccount, access_key: str) -> tuple[StorageBackend, AccessKey]:
    """The key and its backend. Its row is removed if it certainly is not there: leftover rows would count towards the
    limit."""
    try:
        backend = await _backend(services.backends, home)
        return backend, await backend.create_key(home.user, access_key)
    except (NotReached, NotProvisioned, Conflict) as error:
        failure = error
    await services.database.run(queries.remove_key, home.user.account_id, access_key)
    raise await _error_for_client(services.database, home, failure)


async def _abandon(
    services: Services, actor: Actor, backend: StorageBackend, home: KeyAccount, access_key: str
) -> None:
    """Gives up a key on the cluster whose secret nobody will get: its activation has failed or is in doubt.

    Its row is pending or active, or becomes active later: a frozen server executes the statement when it is thawed. Two
    things are tried at once, and one of them suffices. In the database the row is marked as deleting, which an
    activation does not change, and `clean_up_keys` finds it. On the cluster the key is deleted: a row that could not be
    marked is pending, and expires, or is active without a key on the cluster, and the next full reconcile removes it.
    If neither database nor cluster responds, and the activation was executed, the key remains active in the account's
    list, where its owner can delete it.
    """

    account_id = home.user.account_id

    async def mark(conn: Connection) -> None:
        now = services.wall_clock()
        await queries.start_deletion(conn, account_id, access_key, now, actor.stamp, pending=True)
        await discard_response(conn, actor)
        await defer(conn, "access_keys.clean_up", home.region_id)

    async def delete() -> None:
        async with asyncio.timeout(_ABANDON_WAIT):
            await backend.delete_key(home.user, access_key)

    # The time for the request has been used up, and marking needs time of its own.
    with limited(WaitLimit(_ABANDON_WAIT, together=True)):
        results = await asyncio.gather(services.database.transaction(mark), delete(), return_exceptions=True)
    for error in results:
        if error is not None:
            _log.warning(
                "access key %s of storage account %d is not fully abandoned: %r", access_key, account_id, error
            )


async def _backend(backends: Backends, home: KeyAccount) -> StorageBackend:
    try:
        return await backends.of(home.region_id)
    except Unavailable as error:
        raise NotReached(error) from error


async def _error_for_client(database: Database, home: KeyAccount, failure: TonnageError) -> TonnageError:
    """The error to return to the client."""
    match failure:
        case NotReached():
            return failure.reason
        case NotProvisioned() if home.rejection_reason:
            return Conflict(
                "The account is not on the storage cluster and has no access keys there. {why}",
                ConflictCode.CLUSTER_REFUSED,
                why=home.rejection_reason,
            )
        case TooManyKeys():
            account_id = home.user.account_id
            here = await database.run(queries.keys_of, [account_id])
            return not_made_here(failure.access_keys, here.get(account_id, {})) or failure
        case _:
            return failure


async def _lock_account(conn: Connection, actor: Actor, partner_id: UUID, account_id: int) -> KeyAccount:
    try:
        home = await queries.lock_account(conn, actor.organisation_id, partner_id, account_id)
    except LockNotAvailable as error:
        raise Unavailable(
            "The account is locked by a long operation, such as a usage import. Try again in a minute.",
            UnavailableCode.LOCKED,
        ) from error
    if home is None:
        raise no_account(account_id)
    if not home.on_cluster:
        raise metered_only()
    if home.purging:
        raise Conflict("The account and its access keys are being deleted.", ConflictCode.ACCOUNT_DELETING)
    return home


async def delete_key(
    services: Services,
    actor: Actor,
    partner_id: UUID,
    account_id: int,
    access_key: str,
    deadline: float = DEADLINE,
) -> None:
    """Deletes a key: requests with it fail from now on. Takes at most 10 seconds. Looks for a key that is not listed
    here on the cluster.

    NotFound: the account has no such key. Conflict, Misconfigured: as for `create_key`. Unavailable: the key may still
    be on the cluster. If the list of keys shows it as being deleted, a background job deletes it as soon as possible.
    """
    actor.require_for_storage(Role.STAFF)
    if not may_be_access_key(access_key):
        raise no_key(account_id)
    async with _within_deadline(deadline):
        home, is_listed = await services.database.transaction(
            _end, actor, partner_id, account_id, access_key, services.wall_clock()
        )
        if not is_listed:
            await _find(services, actor, home, access_key)
            _, is_listed = await services.database.transaction(
                _end, actor, partner_id, account_id, access_key, services.wall_clock()
            )
        if not is_listed:  # it is being created
            raise no_key(account_id)
        try:
            backend = await services.backends.of(home.region_id)
            await backend.delete_key(home.user, access_key)
        except Unavailable:
            # A leaked key must be deleted without a further request.
            await services.database.run(defer, "access_keys.clean_up", home.region_id)
            raise
        await services.database.transaction(_remove, actor, account_id, access_key)


async def _remove(conn: Connection, actor: Actor, account_id: int, access_key: str) -> None:
    await queries.remove_key(conn, account_id, access_key)
    await save_empty_response(conn, actor)


async def _end(
    conn: Connection, actor: Actor, partner_id: UUID, account_id: int, access_key: str, now: datetime
) -> tuple[KeyAccount, bool]:
    """The account, and whether it has such a key here."""
    home = await _lock_account(conn, actor, partner_id, account_id)
    is_listed = await queries.start_deletion(conn, account_id, access_key, now, actor.stamp)
    if is_listed:
        # If this process ends, or a background job is first, the same request finds no such key, and has succeeded.
        await reserve_response(conn, actor, 0)
    return home, is_listed


async def _find(services: Services, actor: Actor, home: KeyAccount, access_key: str) -> None:
    """Records a key that is on the cluster only, so that its deletion is audited, and repeated if it is interrupted.

    NotFound: it is not there either. Asks for all keys of the account: the text may be a secret key by mistake.
    """
    account_id = home.user.account_id
    backend = await services.backends.of(home.region_id)
    try:
        present = await backend.keys(home.user)
    except NotProvisioned:
        present = ()
    if access_key not in present:
        raise no_key(account_id)
    await services.database.run(queries.record_found, [(account_id, access_key)], services.wall_clock(), actor.stamp)

"""Deciding differences between a cluster and the database, one account or access key at a time.

What the cluster has is written here by the ordinary actions. What the database has is applied by the ordinary job.
"""

from collections.abc import Sequence
from datetime import datetime

from tonnage.access.actor import Actor, Kind, Role
from tonnage.access_keys import queries as access_key_queries
from tonnage.access_keys.access_key import KeyState, no_key
from tonnage.access_keys.actions import delete_key
from tonnage.accounts.account import AccountChange
from tonnage.accounts.actions import delete_account, no_account, set_deletion
from tonnage.accounts.change_actions import change_account, resume_account, suspend_account
from tonnage.db import Connection, Database
from tonnage.drift import resolution_queries
from tonnage.drift.adoption import SUSPENSION_REASON
from tonnage.drift.resolution import Resolution, Side, Step, from_cluster
from tonnage.error_codes import ConflictCode
from tonnage.errors import Conflict
from tonnage.jobs import defer
from tonnage.provisioning import drift_queries, queries
from tonnage.provisioning.drift import AttributeDifference, access_key_subject, account_subject, attributes_that_differ
from tonnage.provisioning.state import ProvisioningState
from tonnage.services import Services
from tonnage.storage.backend import ActualAccount, StorageBackend


async def both_sides(
    database: Database, backend: StorageBackend, account_id: int
) -> tuple[ProvisioningState, ActualAccount | None]:
    """An account in the database and on its cluster. NotFound: it is not in the database, or is being purged."""
    state = await database.run(queries.state_of, account_id)
    if state is None:
        raise no_account(account_id)
    return state, await backend.state(state.desired.user)


async def resolve_account(
    conn: Connection,
    actor: Actor,
    sides: tuple[ProvisioningState, ActualAccount | None],
    use: Side,
    grace_days: int,
    now: datetime,
    *,
    dry_run: bool = False,
) -> Sequence[Resolution]:
    """Decides the differences of an account of the actor, its partner; returns them. With `dry_run` nothing stays.

    Conflict: not enough of the partner's allocation is left for the cluster's quota. EditConflict: the account was
    changed meanwhile.
    """
    actor.require(Kind.PARTNER, Role.ADMIN)
    state, actual = sides
    resolved = from_cluster(state, actual) if use is Side.CLUSTER else _from_database(state, actual)
    if not resolved:
        return ()
    account_id, names = state.account_id, [one.difference.name for one in resolved]
    async with conn.transaction(force_rollback=dry_run):
        if use is Side.DATABASE:
            for region_id in await queries.mark_needs_apply(conn, [account_id]):
                await defer(conn, "provisioning.reconcile", region_id)
        for step in sorted({step for one in resolved for step in one.steps}, key=list(Step).index):
            await _take(conn, actor, step, state, actual, grace_days, now)
        await resolution_queries.audit_resolution(conn, account_id, use, names, actor.stamp)
        if not any(one.left for one in resolved):
            await drift_queries.remove_drift(conn, account_subject(account_id))
    return resolved


def _from_database(state: ProvisioningState, actual: ActualAccount | None) -> Sequence[Resolution]:
    if actual is None:
        return (Resolution(AttributeDifference("account", "missing", "there")),)
    return [Resolution(one) for one in attributes_that_differ(state.desired, actual)]


async def _take(
    conn: Connection,
    actor: Actor,
    step: Step,
    state: ProvisioningState,
    actual: ActualAccount | None,
    grace_days: int,
    now: datetime,
) -> None:
    partner_id, account_id = actor.organisation_id, state.account_id
    match step:
        case Step.RESTORE:
            await set_deletion(conn, actor, partner_id, account_id, None, grace_days, now)
        case Step.RESUME:
            await resume_account(conn, actor, partner_id, account_id)
        case Step.SUSPEND:
            await suspend_account(conn, actor, partner_id, account_id, SUSPENSION_REASON, now)
        case Step.DELETE:
            await delete_account(conn, actor, partner_id, account_id, grace_days, now)
        case Step.RENAME if actual is not None:
            change, expected = AccountChange(name=actual.display_name), AccountChange(name=state.name)
            await change_account(conn, actor, partner_id, account_id, change, now, expected=expected)
        case Step.RESIZE if actual is not None:
            change, expected = (
                AccountChange(allocated_capacity=actual.quota),
                AccountChange(allocated_capacity=state.share.allocated),
            )
            await change_account(conn, actor, partner_id, account_id, change, now, expected=expected)
        case _:
            raise AssertionError("not reached: there is nothing to take from an account that is not on the cluster")


async def resolve_key(
    services: Services, actor: Actor, account_id: int, access_key: str, use: Side, *, dry_run: bool = False
) -> AttributeDifference:
    """Decides whether an access key that is on one side only stays. The actor is the account's partner.

    NotFound: it is on neither side. Conflict: it is on both, or it is missing on the cluster, which alone has its
    secret. Errors as for `delete_key`.
    """
    actor.require(Kind.PARTNER, Role.ADMIN)
    database = services.database
    state = await database.run(queries.state_of, account_id)
    if state is None:
        raise no_account(account_id)
    backend = await services.backends.of(await database.run(drift_queries.region_of, account_id))
    here = await database.run(access_key_queries.keys_of, [account_id])
    known = here.get(account_id, {}).get(access_key)
    actual = await backend.state(state.desired.user)
    is_there = actual is not None and access_key in actual.access_keys
    found = (account_id, access_key) in await database.run(access_key_queries.found_keys, [account_id])
    if known is None and not is_there:
        raise no_key(account_id)
    if is_there and known is not None and not found:
        raise Conflict(
            "This access key is known here and on the cluster: there is nothing to decide.",
            ConflictCode.NOTHING_TO_DECIDE,
        )
    if is_there:
        difference = AttributeDifference("access key", "there", "not made here")
        if not dry_run:
            await _decide_found_key(services, actor, account_id, access_key, use)
        return difference
    if use is Side.DATABASE or known is not KeyState.ACTIVE:
        raise Conflict(
            "The cluster does not have this access key any more, and nobody else has its secret. Use the cluster's "
            "side, and create another access key.",
            ConflictCode.NOTHING_TO_DECIDE,
        )
    if not dry_run:
        await database.transaction(_forget_key, actor, account_id, access_key)
    return AttributeDifference("access key", "missing", "active")


async def _decide_found_key(services: Services, actor: Actor, account_id: int, access_key: str, use: Side) -> None:
    if use is Side.DATABASE:
        await delete_key(services, actor, actor.organisation_id, account_id, access_key)
        await services.database.run(drift_queries.remove_drift, access_key_subject(account_id, access_key))
    else:
        await services.database.transaction(_accept_key, actor, account_id, access_key, services.wall_clock())


async def _accept_key(conn: Connection, actor: Actor, account_id: int, access_key: str, now: datetime) -> None:
    await access_key_queries.record_found(conn, [(account_id, access_key)], now, actor.stamp)
    await access_key_queries.accept_found(conn, account_id, access_key, actor.stamp)
    await drift_queries.remove_drift(conn, access_key_subject(account_id, access_key))


async def _forget_key(conn: Connection, actor: Actor, account_id: int, access_key: str) -> None:
    await access_key_queries.mark_lost(conn, [(account_id, access_key)], actor.stamp)
    await drift_queries.remove_drift(conn, access_key_subject(account_id, access_key))

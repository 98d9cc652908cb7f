"""The sweep: a region's cluster is compared with the database, whole, and what has drifted is repaired or reported.

Accounts are made as the database has them, and what was purged is purged again. What the database has never heard of
stays: it may hold somebody's data, and an access key somebody's access. It is reported.
"""

from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass, field
from typing import TypeVar

from tonnage.access.actor import Actor, Kind, Role
from tonnage.access_keys import queries as access_key_queries
from tonnage.clock import WallClock
from tonnage.db import Connection, Database
from tonnage.errors import NotFound, Unavailable
from tonnage.jobs import defer
from tonnage.provisioning import drift_queries, queries
from tonnage.provisioning.actions import account_id_of, apply, record
from tonnage.provisioning.drift import LEFT, Drift
from tonnage.provisioning.key_drift_actions import compare_keys
from tonnage.provisioning.purge_actions import PURGES_AT_ONCE
from tonnage.provisioning.state import Applied, ProvisioningState
from tonnage.regions.queries import set_identity_unverified
from tonnage.storage.backend import ActualAccount, Cluster, StorageBackend, differences
from tonnage.storage.concurrency import for_each_concurrently

T = TypeVar("T")

_BATCH = 500


@dataclass(frozen=True)
class _Comparison:
    """Which cluster is compared with which database, and whether it is to be changed."""

    database: Database
    region_id: int
    backend: StorageBackend
    actor: Actor
    repair: bool


@dataclass
class Comparison:
    """A part of it: how many accounts were looked at, and what was found."""

    accounts: int
    findings: list[Drift] = field(default_factory=list[Drift])


async def request_full_reconcile(conn: Connection, actor: Actor, region: str) -> None:
    """Defers the comparison of a region's cluster with the database. In the caller's transaction.

    NotFound: no such region, or one without a cluster.
    """
    actor.require(Kind.OPERATOR, Role.ADMIN)
    region_id = await drift_queries.audit_reconcile(conn, region, actor.stamp)
    if region_id is None:
        raise NotFound("The region {region} has no cluster to compare.", region=region)
    await defer(conn, "provisioning.full_reconcile", region_id)


async def confirm_cluster(conn: Connection, actor: Actor, cluster: Cluster) -> None:
    """Accepts that this is the region's cluster, since somebody is going to compare it now. In the caller's
    transaction.
    """
    actor.require(Kind.OPERATOR, Role.ADMIN)
    await drift_queries.audit_reconcile(conn, cluster.name, actor.stamp)
    await set_identity_unverified(conn, cluster, None)


async def full_reconcile(
    database: Database, backend: StorageBackend, region_id: int, actor: Actor, clock: WallClock
) -> Comparison:
    """Compares and repairs a whole region, and keeps what was found.

    May be interrupted anywhere. Unavailable: not everything could be compared, and what is kept is of the sweep before.
    """
    whole = await _whole(_Comparison(database, region_id, backend, actor, repair=True))
    drifted = [finding for finding in whole.findings if not finding.expected]
    left = [finding for finding in drifted if not finding.repaired]
    repaired = len(drifted) - len(left)
    await database.run(drift_queries.save_result, region_id, whole.accounts, repaired, left, clock())
    return whole


async def identity_problem(database: Database, backend: StorageBackend, region_id: int) -> str | None:
    """Why this may not be the region's cluster: most accounts that were brought there are not on it. None: it is.

    Whoever mistypes an address must not find all accounts made anew in a foreign place, their keys forgotten, and what
    was due taken for purged.
    """
    told = await database.run(drift_queries.applied_accounts, region_id)
    found = 0
    async for some in _batched(backend.accounts()):
        found += await database.run(drift_queries.applied_among, region_id, some)
    if found >= told / 2:
        return None
    return (
        f"Of {told} storage accounts that were made on this cluster, {found} are there. If it is the right one, "
        "`tonnage storage reconcile` makes them again; else correct its address with `tonnage region connect`."
    )


async def full_reconcile_dry_run(
    database: Database, backend: StorageBackend, region_id: int, actor: Actor
) -> Comparison:
    """What `sweep` would find, with nothing changed anywhere. Unavailable: not everything could be compared."""
    return await _whole(_Comparison(database, region_id, backend, actor, repair=False))


async def _whole(sweep: _Comparison) -> Comparison:
    whole = Comparison(0)
    async for part in _examine(sweep):
        whole.accounts += part.accounts
        whole.findings += part.findings
    return whole


async def _examine(sweep: _Comparison) -> AsyncGenerator[Comparison]:
    """Part by part; Unavailable when the cluster is away, and at the end when some accounts could not be compared."""
    away: Unavailable | None = None
    # These first: what was purged may still have the address of an account that is to be made.
    async for some in _batched(sweep.backend.accounts()):
        yield Comparison(0, await _unknown_accounts(sweep, some))
    async for accounts in sweep.database.pages(queries.present, sweep.region_id, id_of=account_id_of, size=_BATCH):
        ids = [account.account_id for account in accounts]
        keys = await sweep.database.run(access_key_queries.keys_of, ids)
        looked = await for_each_concurrently(accounts, lambda account: sweep.backend.state(account.account_id))
        there = {account.account_id: actual.access_keys if actual else () for account, actual in looked.done}
        found = await compare_keys(sweep.database, sweep.actor, keys, there, repair=sweep.repair)
        yield Comparison(len(looked.done), [*await _compare_accounts(sweep, looked.done), *found])
        if looked.stopped:
            raise looked.stopped
        away = looked.away or away
    if sweep.repair:
        # What was changed while we told an older state is told again.
        await sweep.database.run(defer, "provisioning.reconcile", sweep.region_id)
    if away:
        raise away


async def _compare_accounts(
    sweep: _Comparison, seen: list[tuple[ProvisioningState, ActualAccount | None]]
) -> list[Drift]:
    """What differs in these accounts, repaired if it is to be."""
    differing: dict[ProvisioningState, tuple[str, str]] = {}
    alike: list[ProvisioningState] = []
    for account, actual in seen:
        if actual is None:
            differing[account] = "is not on the cluster", "made"
        elif changes := differences(account.desired, actual):
            differing[account] = f"differs in {', '.join(changes)}", "changed"
        elif not account.is_applied:
            alike.append(account)
    repaired: set[ProvisioningState] = set()
    if sweep.repair:
        outcome = await for_each_concurrently(differing, lambda account: _apply_again(sweep, account))
        repaired = {account for account, _ in outcome.done}
        outcome.done += [(account, Applied.of(account)) for account in alike]
        await record(sweep.database, sweep.backend, sweep.region_id, outcome)
    return [
        Drift(_subject(account.account_id), what, remedy, account in repaired, expected=not account.is_applied)
        for account, (what, remedy) in differing.items()
    ]


async def _apply_again(sweep: _Comparison, account: ProvisioningState) -> Applied:
    """Tells what the database says now: it may have changed since the account was looked at."""
    present = await sweep.database.run(queries.state_of, account.account_id)
    # None: its purge has begun, and there is nothing to tell.
    return await apply(sweep.backend, present) if present else Applied.of(account)


async def _unknown_accounts(sweep: _Comparison, account_ids: list[int]) -> list[Drift]:
    """What of these accounts on the cluster should not be there."""
    found = await sweep.database.run(drift_queries.unknown_accounts, sweep.region_id, account_ids)
    gone: set[int] = set()
    if sweep.repair:
        outcome = await for_each_concurrently(found.purged, sweep.backend.purge, PURGES_AT_ONCE)
        gone = {account_id for account_id, _ in outcome.done}
    return [
        *(Drift(_subject(one), "was purged, and is on the cluster", "purged", one in gone) for one in found.purged),
        *(Drift(_subject(one), "is on the cluster, and belongs to another region", LEFT) for one in found.elsewhere),
        *(Drift(_subject(one), "is on the cluster, and unknown here", LEFT) for one in found.unknown),
    ]


def _subject(account_id: int) -> str:
    return f"storage account {account_id}"


async def _batched(items: AsyncIterator[T]) -> AsyncGenerator[list[T]]:
    some: list[T] = []
    async for item in items:
        some.append(item)
        if len(some) == _BATCH:
            yield some
            some = []
    if some:
        yield some

"""Full reconcile: compares a region's whole cluster with the database, and repairs or reports the drift.

Accounts are created and changed as the database has them; purged accounts are purged again. Accounts and access keys
that the database does not know are only reported, never deleted: they may hold data or be in use.
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
    """The parameters of a comparison. `repair`: False for a dry run."""

    database: Database
    region_id: int
    backend: StorageBackend
    actor: Actor
    repair: bool


@dataclass
class Comparison:
    """The result of a comparison, or of a part of it: the number of accounts compared, and the drift."""

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
    """Confirms that this is the region's cluster: the operator asked for a comparison with it. In the caller's
    transaction.
    """
    actor.require(Kind.OPERATOR, Role.ADMIN)
    await drift_queries.audit_reconcile(conn, cluster.name, actor.stamp)
    await set_identity_unverified(conn, cluster, None)


async def full_reconcile(
    database: Database, backend: StorageBackend, region_id: int, actor: Actor, clock: WallClock
) -> Comparison:
    """Compares and repairs a whole region, and saves the result.

    Safe to interrupt at any point. Unavailable: some accounts could not be compared; the previous result stays saved.
    """
    whole = await _whole(_Comparison(database, region_id, backend, actor, repair=True))
    drifted = [finding for finding in whole.findings if not finding.expected]
    left = [finding for finding in drifted if not finding.repaired]
    repaired = len(drifted) - len(left)
    await database.run(drift_queries.save_result, region_id, whole.accounts, repaired, left, clock())
    return whole


async def identity_problem(database: Database, backend: StorageBackend, region_id: int) -> str | None:
    """Why this may not be the region's cluster: more than half of the applied accounts are not on it. None: it is.

    Protects against a mistyped address. Otherwise all accounts would be created on a foreign cluster, their access keys
    removed here, and due purges recorded as done.
    """
    applied = await database.run(drift_queries.applied_accounts, region_id)
    found = 0
    async for some in _batched(backend.accounts()):
        found += await database.run(drift_queries.applied_among, region_id, some)
    if found >= applied / 2:
        return None
    return (
        f"Of {applied} storage accounts that were created on this cluster, {found} are there. If it is "
        "the right cluster, `tonnage storage reconcile` creates them again; if not, correct its address "
        "with `tonnage region connect`."
    )


async def full_reconcile_dry_run(
    database: Database, backend: StorageBackend, region_id: int, actor: Actor
) -> Comparison:
    """What `full_reconcile` would find; changes nothing. Unavailable: some accounts could not be compared."""
    return await _whole(_Comparison(database, region_id, backend, actor, repair=False))


async def _whole(run: _Comparison) -> Comparison:
    whole = Comparison(0)
    async for part in _examine(run):
        whole.accounts += part.accounts
        whole.findings += part.findings
    return whole


async def _examine(run: _Comparison) -> AsyncGenerator[Comparison]:
    """Yields the result in parts. Unavailable: at once when the cluster does not respond, or at the end when some
    accounts could not be compared."""
    away: Unavailable | None = None
    # Unknown and purged accounts first: a purged one may still hold the e-mail address of an account to be created.
    async for some in _batched(run.backend.accounts()):
        yield Comparison(0, await _unknown_accounts(run, some))
    async for accounts in run.database.pages(queries.present, run.region_id, id_of=account_id_of, size=_BATCH):
        ids = [account.account_id for account in accounts]
        keys = await run.database.run(access_key_queries.keys_of, ids)
        looked = await for_each_concurrently(accounts, lambda account: run.backend.state(account.account_id))
        there = {account.account_id: actual.access_keys if actual else () for account, actual in looked.done}
        found = await compare_keys(run.database, run.actor, keys, there, repair=run.repair)
        yield Comparison(len(looked.done), [*await _compare_accounts(run, looked.done), *found])
        if looked.stopped:
            raise looked.stopped
        away = looked.away or away
    if run.repair:
        # Applies again what was changed while an older state was being applied.
        await run.database.run(defer, "provisioning.reconcile", run.region_id)
    if away:
        raise away


async def _compare_accounts(
    run: _Comparison, seen: list[tuple[ProvisioningState, ActualAccount | None]]
) -> list[Drift]:
    """The drift of these accounts, repaired if `repair` is set."""
    differing: dict[ProvisioningState, tuple[str, str]] = {}
    alike: list[ProvisioningState] = []
    for account, actual in seen:
        if actual is None:
            differing[account] = "is missing on the cluster", "made"
        elif changes := differences(account.desired, actual):
            differing[account] = f"differs in {', '.join(changes)}", "changed"
        elif not account.is_applied:
            alike.append(account)
    repaired: set[ProvisioningState] = set()
    if run.repair:
        outcome = await for_each_concurrently(differing, lambda account: _apply_again(run, account))
        repaired = {account for account, _ in outcome.done}
        outcome.done += [(account, Applied.of(account)) for account in alike]
        await record(run.database, run.backend, run.region_id, outcome)
    return [
        Drift(_subject(account.account_id), description, remedy, account in repaired, expected=not account.is_applied)
        for account, (description, remedy) in differing.items()
    ]


async def _apply_again(run: _Comparison, account: ProvisioningState) -> Applied:
    """Applies the database's current state, which may be newer than the one compared."""
    present = await run.database.run(queries.state_of, account.account_id)
    # None: its purge has started, so there is nothing to apply.
    return await apply(run.backend, present) if present else Applied.of(account)


async def _unknown_accounts(run: _Comparison, account_ids: list[int]) -> list[Drift]:
    """Those of these accounts on the cluster that should not be there."""
    found = await run.database.run(drift_queries.unknown_accounts, run.region_id, account_ids)
    gone: set[int] = set()
    if run.repair:
        outcome = await for_each_concurrently(found.purged, run.backend.purge, PURGES_AT_ONCE)
        gone = {account_id for account_id, _ in outcome.done}
    return [
        *(Drift(_subject(one), "was purged, but is on the cluster", "purged", one in gone) for one in found.purged),
        *(Drift(_subject(one), "is on the cluster, but belongs to another region", LEFT) for one in found.elsewhere),
        *(Drift(_subject(one), "is on the cluster, but not in the database", LEFT) for one in found.unknown),
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

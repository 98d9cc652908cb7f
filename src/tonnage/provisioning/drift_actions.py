"""Full reconcile: compares a region's whole cluster with the database, and repairs or reports the drift.

Accounts are created and changed as the database has them; purged accounts are purged again. Accounts and access keys
that the database does not know are never deleted: they may hold data or be in use. Accounts are reported; keys are
listed with those of their account, and reported until they are accepted or deleted.
"""

from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from tonnage.access.actor import Actor, Kind, Role
from tonnage.access_keys import queries as access_key_queries
from tonnage.clock import WallClock
from tonnage.db import Connection, Database
from tonnage.epoch.deletion_mark import DeletionMarks
from tonnage.epoch.deletion_mark_actions import purge_started
from tonnage.epoch.epoch import Permit
from tonnage.epoch.queries import require_permit
from tonnage.epoch.record import not_compared
from tonnage.errors import NotFound, Unavailable
from tonnage.jobs import defer
from tonnage.provisioning import drift_queries, queries
from tonnage.provisioning.actions import account_id_of, apply, marks_of, record
from tonnage.provisioning.deletion_drift_actions import compare_marks
from tonnage.provisioning.drift import LEFT, Drift, account_subject, difference_of
from tonnage.provisioning.key_drift_actions import compare_keys
from tonnage.provisioning.purge_actions import PURGES_AT_ONCE
from tonnage.provisioning.state import Applied, ProvisioningState
from tonnage.regions.queries import set_identity_unverified
from tonnage.storage.backend import ActualAccount, Cluster, ClusterUser, StorageBackend, differences
from tonnage.storage.concurrency import for_each_concurrently
from tonnage.storage.errors import Misconfigured

T = TypeVar("T")

_BATCH = 500

_PURGED = "was purged, but is on the cluster"

_PURGED_AGAIN = timedelta(days=7)
"""For how long after its purge an account that appears again is purged again."""


@dataclass(frozen=True)
class _Comparison:
    """The parameters of a comparison. `now`: the earlier of this machine's time and the cluster's. `found_at`: None
    for a dry run."""

    database: Database
    region_id: int
    backend: StorageBackend
    actor: Actor
    permitted: Permit | None
    """None: nothing is repaired."""
    marks: DeletionMarks | None
    now: datetime
    found_at: datetime | None

    @property
    def repair(self) -> bool:
        return self.permitted is not None


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

    Misconfigured: it is, but it may be newer than the database, which has to be confirmed.
    """
    actor.require(Kind.OPERATOR, Role.ADMIN)
    if cluster.identity_unverified == not_compared(cluster.name):
        raise Misconfigured(not_compared(cluster.name))
    await drift_queries.audit_reconcile(conn, cluster.name, actor.stamp)
    await set_identity_unverified(conn, cluster, None)


async def full_reconcile(
    database: Database,
    backend: StorageBackend,
    region_id: int,
    actor: Actor,
    clock: WallClock,
    permitted: Permit | None,
) -> Comparison:
    """Compares and repairs a whole region, and saves the result.

    `permitted`: None while the database is on hold. Then nothing is repaired, and everything found is left to the
    operator. Safe to interrupt at any point. Unavailable: some accounts could not be compared; the previous result
    stays saved.
    """
    marks, found_at = await marks_of(backend), clock()
    now = permitted.now if permitted else found_at
    whole = await _whole(_Comparison(database, region_id, backend, actor, permitted, marks, now, found_at))
    drifted = [finding for finding in whole.findings if permitted is None or not finding.expected]
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
    async for some in batched(backend.users()):
        found += await database.run(drift_queries.applied_among, region_id, some)
    if found >= applied / 2:
        return None
    return (
        f"Of {applied} storage accounts that were created on this cluster, {found} are there. If it is "
        "the right cluster, `tonnage storage reconcile` creates them again; if not, correct its address "
        "with `tonnage region connect`."
    )


async def full_reconcile_dry_run(
    database: Database, backend: StorageBackend, region_id: int, actor: Actor, now: datetime
) -> Comparison:
    """What `full_reconcile` would find; changes nothing. Unavailable: some accounts could not be compared."""
    return await _whole(_Comparison(database, region_id, backend, actor, None, await marks_of(backend), now, None))


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
    async for some in batched(run.backend.accounts()):
        yield Comparison(0, await _unknown_accounts(run, some))
    async for accounts in run.database.pages(_present, run, id_of=account_id_of, size=_BATCH):
        ids = [account.account_id for account in accounts]
        keys = await run.database.run(access_key_queries.keys_of, ids)
        looked = await for_each_concurrently(accounts, lambda account: run.backend.state(account.desired.user))
        there = {account.account_id: actual.access_keys if actual else () for account, actual in looked.done}
        found = await compare_keys(run.database, run.actor, keys, there, repair=run.repair, found_at=run.found_at)
        deletions = await compare_marks(run.backend, run.marks, looked.done, run.now, repair=run.repair)
        yield Comparison(len(looked.done), [*await _compare_accounts(run, looked.done), *found, *deletions])
        if looked.stopped:
            raise looked.stopped
        away = looked.away or away
    if run.repair:
        # Applies again what was changed while an older state was being applied.
        await run.database.run(defer, "provisioning.reconcile", run.region_id)
    if away:
        raise away


async def _present(conn: Connection, run: _Comparison, after: int, limit: int) -> list[ProvisioningState]:
    if run.permitted is not None:
        await require_permit(conn, run.permitted)
    return await queries.present(conn, run.region_id, after, limit)


async def _compare_accounts(
    run: _Comparison, seen: list[tuple[ProvisioningState, ActualAccount | None]]
) -> list[Drift]:
    """The drift of these accounts, repaired if `repair` is set."""
    differing: dict[ProvisioningState, tuple[str, str]] = {}
    alike: list[ProvisioningState] = []
    for account, actual in seen:
        if actual is None:
            differing[account] = "is missing on the cluster", "made"
        elif differences(account.desired, actual):
            differing[account] = difference_of(account.desired, actual), "changed"
        elif not account.is_applied:
            alike.append(account)
    repaired: set[ProvisioningState] = set()
    if run.repair:
        outcome = await for_each_concurrently(differing, lambda account: _apply_again(run, account))
        repaired = {account for account, _ in outcome.done}
        outcome.done += [(account, Applied.of(account)) for account in alike]
        await record(run.database, run.backend, run.region_id, outcome)
    return [
        Drift(
            account_subject(account.account_id),
            description,
            remedy,
            account in repaired,
            expected=not account.is_applied,
        )
        for account, (description, remedy) in differing.items()
    ]


async def _apply_again(run: _Comparison, account: ProvisioningState) -> Applied:
    """Applies the database's current state, which may be newer than the one compared."""
    present = await run.database.run(_present_state, run, account.account_id)
    # None: its purge has started, so there is nothing to apply.
    return await apply(run.backend, present, run.marks, run.now) if present else Applied.of(account)


async def _present_state(conn: Connection, run: _Comparison, account_id: int) -> ProvisioningState | None:
    if run.permitted is not None:
        await require_permit(conn, run.permitted)
    return await queries.state_of(conn, account_id)


async def _unknown_accounts(run: _Comparison, account_ids: list[int]) -> list[Drift]:
    """Those of these accounts on the cluster that should not be there."""
    found = await run.database.run(drift_queries.unknown_accounts, run.region_id, account_ids)
    again = [one for one in found.purged if await _was_purged_lately(run.backend, one)]
    gone: set[int] = set()
    if run.permitted is not None and again:
        await run.database.run(require_permit, run.permitted)
        outcome = await for_each_concurrently(map(ClusterUser, again), run.backend.purge, PURGES_AT_ONCE)
        gone = {user.account_id for user, _ in outcome.done}
    return [
        *(
            Drift(account_subject(one), _PURGED, "purged" if one in again else LEFT, one in gone)
            for one in found.purged
        ),
        *(
            Drift(account_subject(one), "is on the cluster, but belongs to another region", LEFT)
            for one in found.elsewhere
        ),
        *(Drift(account_subject(one), "is on the cluster, but not in the database", LEFT) for one in found.unknown),
    ]


async def _was_purged_lately(backend: StorageBackend, account_id: int) -> bool:
    """Whether the cluster itself says so. If not, or long ago, the account may have been put there deliberately."""
    if backend.bucket is None:
        return False
    age = await purge_started(backend.bucket, account_id)
    return age is not None and age <= _PURGED_AGAIN


async def batched(items: AsyncIterator[T]) -> AsyncGenerator[list[T]]:
    """What a backend lists, in batches for one statement each."""
    some: list[T] = []
    async for item in items:
        some.append(item)
        if len(some) == _BATCH:
            yield some
            some = []
    if some:
        yield some

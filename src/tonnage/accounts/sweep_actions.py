"""The sweep: a region's cluster is compared with the database, whole, and what has drifted is repaired or reported.

Accounts are made as the database has them, and what was purged is purged again. What the database has never heard of
stays: it may hold somebody's data, and an access key somebody's access. It is reported.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from tonnage.access.actor import Actor
from tonnage.accounts import key_queries, provisioning_queries, sweep_queries
from tonnage.accounts.key_actions import compare_keys
from tonnage.accounts.provisioning import Standing
from tonnage.accounts.provisioning_actions import keep, tell
from tonnage.accounts.provisioning_queries import Told
from tonnage.accounts.sweep import Finding
from tonnage.db import Database
from tonnage.errors import Conflict, Unavailable
from tonnage.jobs import defer
from tonnage.storage.abreast import abreast
from tonnage.storage.plane import ActualAccount, StoragePlane, differences

T = TypeVar("T")

_AT_ONCE = 500

_PURGES_AT_ONCE = 4

_SUSPICIOUSLY_MANY = 10
"""Accounts missing at once, of which they are also the most: nobody removes so many by hand."""


@dataclass(frozen=True)
class _Sweep:
    """Which cluster is compared with which database, and whether it is to be changed."""

    database: Database
    region_id: int
    plane: StoragePlane
    actor: Actor
    repair: bool


@dataclass
class Compared:
    """A part of it: how many accounts were looked at, and what was found."""

    accounts: int
    findings: list[Finding] = field(default_factory=list[Finding])


async def sweep(
    database: Database, plane: StoragePlane, region_id: int, actor: Actor, clock: Callable[[], datetime]
) -> Compared:
    """Compares and repairs a whole region, and keeps what was found.

    May be interrupted anywhere. Unavailable: not everything could be compared, and what is kept is of the sweep before.
    """
    await database.run(lambda conn: sweep_queries.begin(conn, region_id, clock()))
    whole = await _whole(_Sweep(database, region_id, plane, actor, repair=True))
    drifted = [finding for finding in whole.findings if not finding.expected]
    left = [finding for finding in drifted if not finding.repaired]
    repaired = len(drifted) - len(left)
    await database.run(lambda conn: sweep_queries.finish(conn, region_id, whole.accounts, repaired, left, clock()))
    return whole


async def require_its_cluster(database: Database, plane: StoragePlane, region_id: int) -> None:
    """Conflict: most accounts that were brought to the region's cluster are not there, so it may be another one.

    Whoever mistypes an address must not find all accounts made anew in a foreign place, and all keys forgotten here.
    """
    told = await database.run(lambda conn: sweep_queries.told(conn, region_id))
    found = 0
    async for some in _by_hundreds(plane.accounts()):
        found += await database.run(lambda conn, some=some: sweep_queries.told_among(conn, region_id, some))
    if told - found >= _SUSPICIOUSLY_MANY and found < told / 2:
        raise Conflict(
            f"Of {told} storage accounts that were made on this cluster, {found} are there. If it is the right one, "
            "`tonnage storage reconcile` makes them again; else correct its address with `tonnage region connect`."
        )


async def plan(database: Database, plane: StoragePlane, region_id: int, actor: Actor) -> Compared:
    """What `sweep` would find, with nothing changed anywhere. Unavailable: not everything could be compared."""
    return await _whole(_Sweep(database, region_id, plane, actor, repair=False))


async def _whole(sweep: _Sweep) -> Compared:
    whole = Compared(0)
    async for part in _examine(sweep):
        whole.accounts += part.accounts
        whole.findings += part.findings
    return whole


async def _examine(sweep: _Sweep) -> AsyncGenerator[Compared]:
    """Part by part; Unavailable when the cluster is away, and at the end when some accounts could not be compared."""
    away: Unavailable | None = None
    async for accounts in _pages(sweep):
        ids = [account.account_id for account in accounts]
        keys = await sweep.database.run(lambda conn, ids=ids: key_queries.keys_of(conn, ids))
        looked = await abreast(accounts, lambda account: sweep.plane.state(account.account_id))
        there = {account.account_id: actual.access_keys if actual else () for account, actual in looked.done}
        found = await compare_keys(sweep.database, sweep.actor, keys, there, repair=sweep.repair)
        yield Compared(len(looked.done), [*await _settled(sweep, looked.done), *found])
        if looked.stopped:
            raise looked.stopped
        away = next((error for _, error in looked.failed if isinstance(error, Unavailable)), away)
    async for some in _by_hundreds(sweep.plane.accounts()):
        yield Compared(0, await _strangers(sweep, some))
    if sweep.repair:
        # What was changed while we told an older state is told again.
        await sweep.database.run(lambda conn: defer(conn, "accounts.reconcile", sweep.region_id))
    if away:
        raise away


async def _pages(sweep: _Sweep) -> AsyncGenerator[list[Standing]]:
    after = 0
    while some := await sweep.database.run(
        lambda conn, after=after: provisioning_queries.present(conn, sweep.region_id, after, _AT_ONCE)
    ):
        yield some
        after = some[-1].account_id


async def _settled(sweep: _Sweep, seen: list[tuple[Standing, ActualAccount | None]]) -> list[Finding]:
    """What differs in these accounts, repaired if it is to be."""
    differing: dict[Standing, str] = {}
    alike: list[Told] = []
    for account, actual in seen:
        if changes := differences(account.desired, actual):
            differing[account] = "is not on the cluster" if actual is None else f"differs in {', '.join(changes)}"
        elif not account.is_told:
            alike.append(Told(account.account_id, account.desired_revision, account.desired.write_limit))
    repaired: set[Standing] = set()
    if sweep.repair:
        if alike:
            await sweep.database.run(lambda conn: provisioning_queries.note_told(conn, alike))
        outcome = await abreast(differing, lambda account: _tell_anew(sweep, account))
        await keep(sweep.database, outcome)
        repaired = {account for account, _ in outcome.done}
    return [
        Finding(f"storage account {account.account_id}", what, account in repaired, expected=not account.is_told)
        for account, what in differing.items()
    ]


async def _tell_anew(sweep: _Sweep, account: Standing) -> Told:
    """Tells what the database says now: it may have changed since the account was looked at."""
    present = await sweep.database.run(lambda conn: provisioning_queries.standing(conn, account.account_id))
    if present is None:  # its purge has begun
        return Told(account.account_id, account.applied_revision, account.told_quota)
    return await tell(sweep.plane, present)


async def _strangers(sweep: _Sweep, account_ids: list[int]) -> list[Finding]:
    """What of these accounts on the cluster should not be there."""
    unknown, purged = await sweep.database.run(lambda conn: sweep_queries.strangers(conn, sweep.region_id, account_ids))
    gone: set[int] = set()
    if sweep.repair:
        gone = {account_id for account_id, _ in (await abreast(purged, sweep.plane.purge, _PURGES_AT_ONCE)).done}
    return [
        *(Finding(f"storage account {one}", "was purged, and is on the cluster", one in gone) for one in purged),
        *(Finding(f"storage account {one}", "is on the cluster, and unknown here", repaired=False) for one in unknown),
    ]


async def _by_hundreds(items: AsyncIterator[T]) -> AsyncGenerator[list[T]]:
    some: list[T] = []
    async for item in items:
        some.append(item)
        if len(some) == _AT_ONCE:
            yield some
            some = []
    if some:
        yield some

"""The sweep: a region's cluster is compared with the database, whole, and what has drifted is repaired or reported.

Accounts are made as the database has them, and what was purged is purged again. What the database has never heard of
stays: it may hold somebody's data, and an access key somebody's access. It is reported.
"""

from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass, field
from typing import TypeVar

from tonnage.access.actor import Actor
from tonnage.accounts import key_queries, provisioning_queries, sweep_queries
from tonnage.accounts.key_actions import compare_keys
from tonnage.accounts.provisioning import Standing, Told
from tonnage.accounts.provisioning_actions import id_of, keep, tell
from tonnage.accounts.purge_actions import PURGES_AT_ONCE
from tonnage.accounts.sweep import LEFT, Finding
from tonnage.clock import Clock
from tonnage.db import Database
from tonnage.errors import Unavailable
from tonnage.jobs import defer
from tonnage.storage.abreast import abreast
from tonnage.storage.plane import ActualAccount, StoragePlane, differences

T = TypeVar("T")

_BATCH = 500


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


async def sweep(database: Database, plane: StoragePlane, region_id: int, actor: Actor, clock: Clock) -> Compared:
    """Compares and repairs a whole region, and keeps what was found.

    May be interrupted anywhere. Unavailable: not everything could be compared, and what is kept is of the sweep before.
    """
    whole = await _whole(_Sweep(database, region_id, plane, actor, repair=True))
    drifted = [finding for finding in whole.findings if not finding.expected]
    left = [finding for finding in drifted if not finding.repaired]
    repaired = len(drifted) - len(left)
    await database.run(lambda conn: sweep_queries.finish(conn, region_id, whole.accounts, repaired, left, clock()))
    return whole


async def doubt_of(database: Database, plane: StoragePlane, region_id: int) -> str | None:
    """Why this may not be the region's cluster: most accounts that were brought there are not on it. None: it is.

    Whoever mistypes an address must not find all accounts made anew in a foreign place, their keys forgotten, and what
    was due taken for purged.
    """
    told = await database.run(lambda conn: sweep_queries.told(conn, region_id))
    found = 0
    async for some in _batched(plane.accounts()):
        found += await database.run(lambda conn, some=some: sweep_queries.told_among(conn, region_id, some))
    if found >= told / 2:
        return None
    return (
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
    # These first: what was purged may still have the address of an account that is to be made.
    async for some in _batched(sweep.plane.accounts()):
        yield Compared(0, await _strangers(sweep, some))
    async for accounts in sweep.database.pages(
        lambda conn, after: provisioning_queries.present(conn, sweep.region_id, after, _BATCH), id_of
    ):
        ids = [account.account_id for account in accounts]
        keys = await sweep.database.run(lambda conn, ids=ids: key_queries.keys_of(conn, ids))
        looked = await abreast(accounts, lambda account: sweep.plane.state(account.account_id))
        there = {account.account_id: actual.access_keys if actual else () for account, actual in looked.done}
        found = await compare_keys(sweep.database, sweep.actor, keys, there, repair=sweep.repair)
        yield Compared(len(looked.done), [*await _settled(sweep, looked.done), *found])
        if looked.stopped:
            raise looked.stopped
        away = looked.away or away
    if sweep.repair:
        # What was changed while we told an older state is told again.
        await sweep.database.run(lambda conn: defer(conn, "accounts.reconcile", sweep.region_id))
    if away:
        raise away


async def _settled(sweep: _Sweep, seen: list[tuple[Standing, ActualAccount | None]]) -> list[Finding]:
    """What differs in these accounts, repaired if it is to be."""
    differing: dict[Standing, tuple[str, str]] = {}
    alike: list[Standing] = []
    for account, actual in seen:
        if actual is None:
            differing[account] = "is not on the cluster", "made"
        elif changes := differences(account.desired, actual):
            differing[account] = f"differs in {', '.join(changes)}", "changed"
        elif not account.is_told:
            alike.append(account)
    repaired: set[Standing] = set()
    if sweep.repair:
        outcome = await abreast(differing, lambda account: _tell_anew(sweep, account))
        repaired = {account for account, _ in outcome.done}
        outcome.done += [(account, Told.of(account)) for account in alike]
        await keep(sweep.database, sweep.plane, sweep.region_id, outcome)
    return [
        Finding(_subject(account.account_id), what, remedy, account in repaired, expected=not account.is_told)
        for account, (what, remedy) in differing.items()
    ]


async def _tell_anew(sweep: _Sweep, account: Standing) -> Told:
    """Tells what the database says now: it may have changed since the account was looked at."""
    present = await sweep.database.run(lambda conn: provisioning_queries.standing(conn, account.account_id))
    # None: its purge has begun, and there is nothing to tell.
    return await tell(sweep.plane, present) if present else Told.of(account)


async def _strangers(sweep: _Sweep, account_ids: list[int]) -> list[Finding]:
    """What of these accounts on the cluster should not be there."""
    found = await sweep.database.run(lambda conn: sweep_queries.strangers(conn, sweep.region_id, account_ids))
    gone: set[int] = set()
    if sweep.repair:
        outcome = await abreast(found.purged, sweep.plane.purge, PURGES_AT_ONCE)
        gone = {account_id for account_id, _ in outcome.done}
    return [
        *(Finding(_subject(one), "was purged, and is on the cluster", "purged", one in gone) for one in found.purged),
        *(Finding(_subject(one), "is on the cluster, and belongs to another region", LEFT) for one in found.elsewhere),
        *(Finding(_subject(one), "is on the cluster, and unknown here", LEFT) for one in found.unknown),
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

"""A statement that had to wait for another one decides on the committed state, not on its snapshot.

PostgreSQL checks a CHECK on the snapshot's version of a row first and waits afterwards, so each of these was refused.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest

from tests.cast import NOW, TB, Cast
from tonnage.access.actor import Actor
from tonnage.accounts import actions as accounts
from tonnage.accounts import change_actions
from tonnage.accounts.account import AccountChange, NewAccount
from tonnage.contracts import actions as contracts
from tonnage.contracts.contract import Amendment
from tonnage.db import Connection
from tonnage.errors import Conflict, NotFound
from tonnage.partners import actions as partners
from tonnage.partners.partner import PartnerChange
from tonnage.provisioning import purge_queries
from tonnage.usage import actions as usage
from tonnage.usage.sample import Sample

pytestmark = [pytest.mark.anyio, pytest.mark.oldest_postgresql]

Work = Callable[[Connection], Awaitable[Any]]


async def run_blocked(cast: Cast, first: Work, second: Work) -> Any:
    """Runs `second` while `first` is executed and not yet committed."""
    async with cast.database.pool.connection() as conn:
        async with conn.transaction():
            await first(conn)
            waiting = asyncio.create_task(cast.database.run(second))  # pyright: ignore[reportArgumentType]  a coroutine
            blocked = "select count(*) from pg_stat_activity where %s = any(pg_blocking_pids(pid))"
            async with asyncio.timeout(30):
                while await cast.row(blocked, conn.info.backend_pid) == (0,):
                    assert not waiting.done(), await waiting
        return await waiting


def resize(distributor: Actor, partner: Actor, to: int) -> Work:
    change = PartnerChange(allocated_capacity=to)
    return lambda conn: partners.update_partner(conn, distributor, partner.organisation_id, change, NOW)


def resize_account(partner: Actor, account: int, to: int | None, *, overdraft: bool | None = None) -> Work:
    change = AccountChange(allocated_capacity=to, allow_overdraft=overdraft)
    return lambda conn: change_actions.change_account(conn, partner, partner.organisation_id, account, change, NOW)


def amend(cast: Cast, contract: UUID, reserved: int) -> Work:
    amendment = Amendment(reserved_capacity=reserved)
    return lambda conn: contracts.amend_contract(conn, cast.operator, contract, amendment, NOW)


def all_of(*works: Work) -> Work:
    async def one_after_the_other(conn: Connection) -> None:
        for work in works:
            await work(conn)

    return one_after_the_other


def in_transaction(work: Work) -> Work:
    """For what locks with a statement of its own: in autocommit it would hold no lock."""

    async def run(conn: Connection) -> Any:
        async with conn.transaction():
            return await work(conn)

    return run


def sample(account: int, size: int) -> Work:
    return in_transaction(lambda conn: usage.record_samples(conn, [Sample(1, account, NOW, size)], NOW))


def purge(cast: Cast, account: int) -> Work:
    return in_transaction(lambda conn: purge_queries.finish_purge(conn, account, NOW, cast.operator.stamp))


async def totals(cast: Cast, distributor: Actor) -> list[int]:
    """Allocated capacity of the distributor's contracts, which must be the sum of their open partners'."""
    stored, summed = await cast.row(
        "select array_agg(k.allocated_capacity order by k.seq), array_agg(coalesce((select sum(p.allocated_capacity)"
        " from partner p where p.contract_id = k.id and p.closed_at is null), 0)::bigint order by k.seq)"
        " from contract k where k.distributor_id = %s",
        distributor.organisation_id,
    )
    assert stored == summed
    return stored


async def test_a_resize_behind_a_resize(cast: Cast) -> None:
    distributor = await cast.distributor()
    contract = await cast.contract(distributor, 100 * TB)
    partner = await cast.partner(distributor, contract, 10 * TB)
    await run_blocked(cast, resize(distributor, partner, 50 * TB), resize(distributor, partner, 5 * TB))
    assert await totals(cast, distributor) == [5 * TB]


async def test_a_close_behind_a_resize(cast: Cast) -> None:
    distributor = await cast.distributor()
    contract = await cast.contract(distributor, 100 * TB)
    partner = await cast.partner(distributor, contract, TB)
    await run_blocked(
        cast,
        resize(distributor, partner, 90 * TB),
        lambda conn: partners.close_partner(conn, distributor, partner.organisation_id, NOW),
    )
    assert await totals(cast, distributor) == [0]


async def test_a_resize_behind_an_amendment_that_was_used_up(cast: Cast) -> None:
    distributor = await cast.distributor()
    contract = await cast.contract(distributor, 10 * TB)
    partner = await cast.partner(distributor, contract, 9 * TB)
    other = await cast.partner(distributor, contract, TB)
    more = all_of(amend(cast, contract, 200 * TB), resize(distributor, other, 150 * TB))
    await run_blocked(cast, more, resize(distributor, partner, 8 * TB))
    assert await totals(cast, distributor) == [158 * TB]


async def test_an_amendment_behind_a_shrinking_partner(cast: Cast) -> None:
    distributor = await cast.distributor()
    contract = await cast.contract(distributor, 10 * TB)
    partner = await cast.partner(distributor, contract, 9 * TB)
    await run_blocked(cast, resize(distributor, partner, TB), amend(cast, contract, 2 * TB))
    with pytest.raises(Conflict):
        await run_blocked(cast, resize(distributor, partner, 2 * TB), amend(cast, contract, TB))
    assert await totals(cast, distributor) == [2 * TB]


@pytest.mark.parametrize("used", [TB, 0])
async def test_a_move_behind_a_sample_or_a_resize(cast: Cast, used: int) -> None:
    distributor = await cast.distributor()
    here, there = await cast.contract(distributor), await cast.contract(distributor)
    partner = await cast.partner(distributor, here, TB)
    await cast.region()
    account = await cast.account(partner)
    await run_blocked(
        cast,
        sample(account, used) if used else resize(distributor, partner, 7 * TB),
        lambda conn: partners.move_partner(conn, distributor, partner.organisation_id, there, NOW),
    )
    assert await totals(cast, distributor) == [0, TB if used else 7 * TB]
    assert await cast.row("select used from contract where id = %s", there) == (used,)


async def test_an_account_behind_a_growing_partner(cast: Cast) -> None:
    await cast.region()
    distributor = await cast.distributor()
    partner = await cast.partner(distributor, await cast.contract(distributor), TB)
    details = NewAccount("Waited", f"w{partner.organisation_id.hex}@example.org", "hash", 5 * TB, allow_overdraft=False)
    await run_blocked(
        cast,
        resize(distributor, partner, 5 * TB),
        lambda conn: accounts.create_account(conn, partner, partner.organisation_id, details, NOW),
    )
    assert await cast.row("select allocated_to_accounts from partner where id = %s", partner.organisation_id) == (
        5 * TB,
    )


async def two_accounts(cast: Cast, allocated: int) -> tuple[Actor, Actor, int, int]:
    """A distributor and its partner of that allocation, with two accounts of 2 TB."""
    await cast.region()
    distributor = await cast.distributor()
    partner = await cast.partner(distributor, await cast.contract(distributor), allocated)
    return distributor, partner, await cast.account(partner, 2 * TB), await cast.account(partner, 2 * TB)


async def allocated_to_accounts(cast: Cast, partner: Actor) -> int:
    """The partner's `allocated_to_accounts`, which must be the sum of its accounts' allocations."""
    stored, summed = await cast.row(
        "select p.allocated_to_accounts, (select sum(s.allocated_capacity) from storage_account s"
        " where s.partner_id = p.id and s.purged_at is null)::bigint from partner p where p.id = %s",
        partner.organisation_id,
    )
    assert stored == summed
    return stored


async def test_an_account_grows_behind_its_growing_partner(cast: Cast) -> None:
    distributor, partner, account, _ = await two_accounts(cast, 4 * TB)
    await run_blocked(cast, resize(distributor, partner, 9 * TB), resize_account(partner, account, 7 * TB))
    assert await allocated_to_accounts(cast, partner) == 9 * TB


async def test_an_account_grows_behind_a_shrinking_sibling(cast: Cast) -> None:
    _, partner, account, sibling = await two_accounts(cast, 4 * TB)
    await run_blocked(cast, resize_account(partner, sibling, 0), resize_account(partner, account, 4 * TB))
    assert await allocated_to_accounts(cast, partner) == 4 * TB
    with pytest.raises(Conflict, match=r"0 bytes of its 4 TB .* left"):
        await run_blocked(cast, resize_account(partner, account, 4 * TB), resize_account(partner, sibling, 1))


async def test_an_account_is_resized_behind_its_own_resize(cast: Cast) -> None:
    _, partner, account, _ = await two_accounts(cast, 10 * TB)
    await run_blocked(cast, resize_account(partner, account, 8 * TB), resize_account(partner, account, TB))
    assert await allocated_to_accounts(cast, partner) == 3 * TB


async def test_a_partner_shrinks_behind_its_shrinking_account(cast: Cast) -> None:
    distributor, partner, account, _ = await two_accounts(cast, 4 * TB)
    await run_blocked(cast, resize_account(partner, account, TB), resize(distributor, partner, 3 * TB))
    assert await allocated_to_accounts(cast, partner) == 3 * TB
    with pytest.raises(Conflict):
        await run_blocked(cast, resize(distributor, partner, 9 * TB), resize_account(partner, account, 8 * TB))
    assert await allocated_to_accounts(cast, partner) == 3 * TB


async def test_an_account_is_resized_behind_its_purge(cast: Cast) -> None:
    _, partner, account = await due_account(cast)
    with pytest.raises(NotFound):
        await run_blocked(
            cast,
            purge(cast, account),
            resize_account(partner, account, TB),
        )
    left = await cast.row(
        "select allocated_to_accounts, account_count from partner where id = %s", partner.organisation_id
    )
    assert left == (0, 0)


async def test_an_overdraft_waits_for_what_the_partner_becomes(cast: Cast) -> None:
    """The change affects no total, but must know whether there is a pool whose quotas are to be recomputed."""
    distributor, partner, account, _ = await two_accounts(cast, 4 * TB)
    await run_blocked(
        cast, resize(distributor, partner, 9 * TB), resize_account(partner, account, None, overdraft=True)
    )
    assert await allocated_to_accounts(cast, partner) == 4 * TB


async def due_account(cast: Cast) -> tuple[Actor, Actor, int]:
    await cast.region()
    distributor = await cast.distributor()
    partner = await cast.partner(distributor, await cast.contract(distributor), 10 * TB)
    account = await cast.account(partner, 8 * TB)
    await cast.database.run(accounts.delete_account, partner, partner.organisation_id, account, 1, NOW)
    claim = "update storage_account set purge_started_at = pending_deleted_at where id = %s returning 1"
    await cast.row(claim, account)
    return distributor, partner, account


async def test_a_purge_behind_a_move_and_a_sample(cast: Cast) -> None:
    distributor, partner, account = await due_account(cast)
    there = await cast.contract(distributor)
    await run_blocked(
        cast,
        all_of(
            sample(account, TB),
            lambda conn: partners.move_partner(conn, distributor, partner.organisation_id, there, NOW),
        ),
        purge(cast, account),
    )
    left = await cast.row(
        "select allocated_to_accounts, account_count, used from partner where id = %s", partner.organisation_id
    )
    assert left == (0, 0, 0)
    assert await cast.row("select used from contract where id = %s", there) == (0,)


async def test_a_sample_behind_a_purge(cast: Cast) -> None:
    _, partner, account = await due_account(cast)
    await run_blocked(
        cast,
        purge(cast, account),
        sample(account, TB),
    )
    assert await cast.row("select used from partner where id = %s", partner.organisation_id) == (0,)


async def test_a_shrinking_partner_behind_a_purge(cast: Cast) -> None:
    distributor, partner, account = await due_account(cast)
    await run_blocked(
        cast,
        purge(cast, account),
        resize(distributor, partner, TB),
    )
    assert await totals(cast, distributor) == [TB]


async def test_a_close_behind_a_purge(cast: Cast) -> None:
    distributor, partner, account = await due_account(cast)
    await run_blocked(
        cast,
        purge(cast, account),
        lambda conn: partners.close_partner(conn, distributor, partner.organisation_id, NOW),
    )
    assert await totals(cast, distributor) == [0]

"""Concurrent changes: capacity is never oversold, and no update is lost."""

import asyncio
from collections.abc import Awaitable
from typing import Any

import pytest

from tests.cast import TB, Cast
from tonnage.accounts.account import AccountChange
from tonnage.accounts.change_actions import change_account
from tonnage.errors import Conflict, NotFound, TonnageError
from tonnage.partners import actions
from tonnage.partners.partner import PartnerChange

pytestmark = [pytest.mark.anyio, pytest.mark.oldest_postgresql]


async def at_once(*calls: Awaitable[Any]) -> list[Any]:
    """The results, refusals included; any other exception fails the test."""
    results: list[Any] = await asyncio.gather(*calls, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException) and not isinstance(result, TonnageError):
            raise result
    return results


def refused(results: list[Any], kind: type[TonnageError] = Conflict) -> int:
    return sum(isinstance(result, kind) for result in results)


async def test_many_clients_for_the_last_terabyte(cast: Cast) -> None:
    distributor = await cast.distributor()
    contract = await cast.contract(distributor, 10 * TB)
    results = await at_once(*(cast.partner(distributor, contract, TB) for _ in range(40)))
    assert refused(results) == 30
    assert await cast.row("select allocated_capacity from contract where id = %s", contract) == (10 * TB,)


async def test_concurrent_resizes_of_one_partner_lose_nothing(cast: Cast) -> None:
    distributor = await cast.distributor()
    contract = await cast.contract(distributor, 1000 * TB)
    partner = await cast.partner(distributor, contract, TB)
    await cast.partner(distributor, contract, 7 * TB)

    def resize(to: int) -> Awaitable[Any]:
        change = PartnerChange(allocated_capacity=to)
        return cast.database.run(actions.update_partner, distributor, partner.organisation_id, change, cast.now)

    assert refused(await at_once(*(resize(n * TB) for n in range(1, 60)))) == 0
    allocated, own = await cast.row(
        "select k.allocated_capacity, p.allocated_capacity from partner p join contract k on k.id = p.contract_id"
        " where p.id = %s",
        partner.organisation_id,
    )
    assert allocated == own + 7 * TB


async def test_opposite_moves_between_two_contracts(cast: Cast) -> None:
    distributor = await cast.distributor()
    contracts = [await cast.contract(distributor, 100 * TB) for _ in range(2)]
    there = [await cast.partner(distributor, contracts[0], TB) for _ in range(8)]
    back = [await cast.partner(distributor, contracts[1], TB) for _ in range(8)]
    for _ in range(3):
        moves = [(partner, contracts[1]) for partner in there] + [(partner, contracts[0]) for partner in back]
        results = await at_once(
            *(
                cast.database.run(actions.move_partner, distributor, partner.organisation_id, to, cast.now)
                for partner, to in moves
            )
        )
        assert not any(isinstance(result, TonnageError) for result in results)
        there, back = back, there
    totals = await cast.row(
        "select array_agg(k.allocated_capacity order by k.seq),"
        " array_agg((select sum(allocated_capacity) from partner p where p.contract_id = k.id)::bigint order by k.seq)"
        " from contract k where k.distributor_id = %s",
        distributor.organisation_id,
    )
    assert totals == ([8 * TB, 8 * TB], [8 * TB, 8 * TB])


async def test_accounts_against_a_shrinking_partner(cast: Cast) -> None:
    await cast.region()
    distributor = await cast.distributor()
    contract = await cast.contract(distributor)
    partner = await cast.partner(distributor, contract, 10 * TB)

    def shrink(to: int) -> Awaitable[Any]:
        change = PartnerChange(allocated_capacity=to)
        return cast.database.run(actions.update_partner, distributor, partner.organisation_id, change, cast.now)

    await at_once(*(call for n in range(10, 0, -1) for call in (cast.account(partner, TB), shrink(n * TB))))
    allocated, given, real = await cast.row(
        "select allocated_capacity, allocated_to_accounts, (select sum(allocated_capacity) from storage_account s"
        " where s.partner_id = p.id)::bigint from partner p where id = %s",
        partner.organisation_id,
    )
    assert given == real <= allocated


async def test_accounts_that_grow_into_the_same_room(cast: Cast) -> None:
    await cast.region()
    distributor = await cast.distributor()
    partner = await cast.partner(distributor, await cast.contract(distributor), 20 * TB)
    accounts = [await cast.account(partner, TB) for _ in range(8)]

    def resize(account: int, to: int) -> Awaitable[Any]:
        change = AccountChange(allocated_capacity=to)
        return cast.database.run(change_account, partner, partner.organisation_id, account, change, cast.now)

    for to in (4 * TB, 0, 3 * TB):
        results = await at_once(*(call for account in accounts for call in (resize(account, to), resize(account, TB))))
        given, real = await cast.row(
            "select allocated_to_accounts,"
            " (select sum(allocated_capacity) from storage_account s where s.partner_id = p.id)::bigint"
            " from partner p where id = %s",
            partner.organisation_id,
        )
        assert given == real <= 20 * TB
        assert refused(results) == 0 or to > TB


async def test_a_closing_partner_gets_no_account(cast: Cast) -> None:
    await cast.region()
    distributor = await cast.distributor()
    contract = await cast.contract(distributor)
    for _ in range(10):
        partner = await cast.partner(distributor, contract, TB)
        close = cast.database.run(actions.close_partner, distributor, partner.organisation_id, cast.now)
        results = await at_once(cast.account(partner, TB), close)
        assert refused(results, NotFound) + refused(results) == 1
        closed, accounts = await cast.row(
            "select closed_at is not null, account_count from partner where id = %s", partner.organisation_id
        )
        assert closed is (accounts == 0)

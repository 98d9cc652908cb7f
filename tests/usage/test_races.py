"""Concurrent imports, deletions and moves: totals are exact afterwards, and there is no deadlock."""

import asyncio
import random
from datetime import timedelta

import pytest

from tests.cast import Cast
from tests.usage.steps import LATER, assert_totals, at, numbered, partner_data, purge, record, rows_of
from tonnage.db import Database
from tonnage.partners import actions as partners
from tonnage.usage import actions

pytestmark = [pytest.mark.anyio, pytest.mark.oldest_postgresql]

START = at("2026-01-06")


async def import_some(database: Database, accounts: list[int], seed: int) -> None:
    rng = random.Random(seed)
    samples = [
        (account, START + timedelta(hours=rng.randint(0, 24 * 40)), rng.randint(0, 10**12))
        for account in rng.sample(accounts, len(accounts) // 2)
        for _ in range(3)
    ]
    unique = {(account, moment): size for account, moment, size in samples}
    rows = numbered((account, moment, size) for (account, moment), size in unique.items())
    await database.transaction(actions.record_samples, rows, LATER)


async def deadlocks(cast: Cast) -> int:
    await cast.row("select pg_stat_clear_snapshot()")
    return (await cast.row("select deadlocks from pg_stat_database where datname = current_database()"))[0]


async def test_two_imports_of_the_same_accounts_at_once(cast: Cast, database: Database) -> None:
    data = await partner_data(cast)
    other = await cast.contract(data.distributor)
    owners = [data.partner, await cast.partner(data.distributor, other)]
    accounts = [await cast.account(owner) for owner in owners * 10]
    before = await deadlocks(cast)
    for seed in range(0, 40, 4):
        await asyncio.gather(*[import_some(database, accounts, seed + n) for n in range(4)])
    await assert_totals(cast, data.contract)
    await assert_totals(cast, other)
    for account in accounts:
        days = [row[0] for row in await rows_of(cast, account)]
        assert days == [days[0] + timedelta(days=n) for n in range(len(days))]
    assert await deadlocks(cast) == before


async def test_imports_while_accounts_go_and_a_partner_moves(cast: Cast, database: Database) -> None:
    data = await partner_data(cast)
    other = await cast.contract(data.distributor)
    accounts = [await cast.account(data.partner) for _ in range(20)]
    await record(cast, *[(account, START, 10**9) for account in accounts])

    async def move() -> None:
        for target in (other, data.contract) * 10:
            await database.run(partners.move_partner, data.distributor, data.partner.organisation_id, target, LATER)

    async def go() -> None:
        for account in accounts[::2]:
            await purge(cast, data.partner, account, LATER)

    await asyncio.gather(move(), go(), *[import_some(database, accounts, seed) for seed in range(20)])
    await assert_totals(cast, data.contract)
    await assert_totals(cast, other)
    assert await cast.row("select used from contract where id = %s", other) == (0,)


async def test_two_imports_that_need_the_same_old_months(cast: Cast, database: Database) -> None:
    data = await partner_data(cast)
    cast.now = at("2011-01-01")
    accounts = [await cast.account(data.partner) for _ in range(4)]

    async def old(account: int, day: str) -> None:
        rows = numbered([(account, at(day), 5), (accounts[0], at(day), 5)])
        await database.transaction(actions.record_samples, rows, LATER)

    await asyncio.gather(*[old(account, day) for account in accounts for day in ("2011-03-01", "2011-12-31")])
    await assert_totals(cast, data.contract)

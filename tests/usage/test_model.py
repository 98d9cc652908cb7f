"""Random histories against the model: batches of samples in any order, trims, deletions; rows and totals must agree."""

import random
from datetime import datetime, timedelta

import pytest

from tests.cast import Cast
from tests.usage.model import AccountModel
from tests.usage.steps import LATER, OPENED, assert_totals, at, partner_data, points, purge, record, report, rows_of
from tonnage.access.actor import Actor
from tonnage.db import Connection

pytestmark = [pytest.mark.anyio, pytest.mark.oldest_postgresql]

FIRST = at("2026-01-05")
DAYS = 60


def batch(rng: random.Random, accounts: list[int], last_day: int) -> list[tuple[int, datetime, int]]:
    # Few distinct hours and sizes, so that samples collide and means end in halves.
    samples: dict[tuple[int, datetime], int] = {}
    for _ in range(rng.choice([1, 1, 3, 10])):
        day = rng.randint(0, last_day)
        moment = FIRST + timedelta(days=day, hours=rng.choice([0, 0, 1, 5, 23]))
        samples[rng.choice(accounts), moment] = rng.choice([0, 1, 2, 3, 2**40, 2**63 - 1])
    return [(account, moment, size) for (account, moment), size in samples.items()]


async def trim(cast: Cast, account: int, oldest: datetime) -> None:
    async def drop(conn: Connection) -> None:
        await conn.execute("delete from usage_sample where account_id = %s and sampled_at < %s", [account, oldest])

    await cast.database.run(drop)


@pytest.mark.parametrize("seed", range(12))
async def test_random_histories(cast: Cast, seed: int) -> None:
    rng = random.Random(seed)
    data = await partner_data(cast)
    second = await cast.partner(data.distributor, data.contract)
    owners = [data.partner, data.partner, second]
    models = {await cast.account(owner): AccountModel(OPENED.date()) for owner in owners}
    last_day = 5
    for _ in range(14):
        last_day = min(DAYS, last_day + rng.choice([0, 1, 1, 8]))
        samples = batch(rng, list(models), last_day)
        await record(cast, *samples)
        for account, model in models.items():
            model.record([(moment, size) for owner, moment, size in samples if owner == account])
        if rng.random() < 0.2:
            account = rng.choice(list(models))
            oldest = FIRST + timedelta(days=rng.randint(0, last_day))
            await trim(cast, account, oldest)
            models[account].trim(oldest.date())
        await agrees(cast, models)
        await assert_totals(cast, data.contract)
    account = next(iter(models))
    await purge(cast, owners[0], account, LATER)
    models[account].purged = True
    await record(cast, (account, FIRST, 12345))
    models[account].record([(FIRST, 12345)])
    await agrees(cast, models)
    await assert_totals(cast, data.contract)
    await reports_agree(cast, models, data.partner)


async def agrees(cast: Cast, models: dict[int, AccountModel]) -> None:
    for account, model in models.items():
        assert await rows_of(cast, account) == model.rows()
        assert await cast.row("select used, rolled_up_to from storage_account where id = %s", account) == (
            model.used,
            model.rolled_up_to,
        )


async def reports_agree(cast: Cast, models: dict[int, AccountModel], partner: Actor) -> None:
    found = await report(cast, partner, "2025-12-01", "2026-06-30")
    assert found is not None
    assert len(found) == 2
    for element in found:
        model = models[int(element["client_id"])]
        rows = model.rows()
        known = [(str(day), usage, 0) for day, usage, _, _ in rows]
        trailing: list[tuple[str, int, int]] = []
        day = model.rolled_up_to + timedelta(days=1)
        while day <= LATER.date():
            trailing.append((str(day), rows[-1][2] if rows else 0, 0))
            day += timedelta(days=1)
        assert points(element) == known + trailing

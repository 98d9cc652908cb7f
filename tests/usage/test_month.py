"""Excess and fee of the running month, against a model in plain Python: a day after the other, with fractions."""

import random
from calendar import monthrange
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from math import floor
from uuid import UUID, uuid4

import pytest

from tests.cast import TB, Cast
from tests.usage.scenes import OPENED, Trade, at, purge, record, trade
from tonnage.access.actor import Actor
from tonnage.contracts import actions as contracts
from tonnage.contracts.contract import Amendment
from tonnage.db import Connection
from tonnage.partners import actions as partners
from tonnage.partners.partner import PartnerChange
from tonnage.usage.month_queries import MonthSoFar, month_of_contract, month_of_distributor, month_of_partner

pytestmark = [pytest.mark.anyio, pytest.mark.oldest_postgresql]

FIRST = date(2026, 2, 1)
TODAY = date(2026, 2, 24)


def rounded(cents: Fraction) -> int:
    return floor(cents + Fraction(1, 2))


@dataclass
class Model:
    """What applies at the end of each day, and what is used on it."""

    prices: dict[UUID, dict[date, Fraction]] = field(default_factory=dict[UUID, dict[date, Fraction]])
    terms: dict[UUID, dict[date, tuple[UUID, int]]] = field(default_factory=dict[UUID, dict[date, tuple[UUID, int]]])
    usage: dict[UUID, dict[date, int]] = field(default_factory=dict[UUID, dict[date, int]])

    def price(self, contract: UUID, day: date) -> Fraction:
        known = self.prices[contract]
        return known[max(since for since in known if since <= day)]

    def month(self, partner: UUID, contract: UUID | None = None) -> tuple[int, int]:
        """Excess and fee of a partner, under one contract or all."""
        excess, cents = 0, Fraction(0)
        known = self.terms[partner]
        for number in range((TODAY - FIRST).days + 1):
            day = FIRST + timedelta(days=number)
            under, allocated = known[max(since for since in known if since <= day)]
            beyond = max(0, self.usage[partner].get(day, 0) - allocated)
            if contract in {None, under}:
                excess += beyond
                cents += Fraction(beyond, 10**9) * self.price(under, day) / monthrange(day.year, day.month)[1]
        return excess, rounded(cents)


async def of_contract(cast: Cast, scope: UUID | None, contract: UUID) -> MonthSoFar | None:
    return await cast.database.run(lambda conn: month_of_contract(conn, scope, contract, TODAY))


async def of_distributor(cast: Cast, distributor: Actor) -> list[MonthSoFar]:
    return await cast.database.run(lambda conn: month_of_distributor(conn, distributor.organisation_id, TODAY))


async def of_partner(cast: Cast, scope: UUID | None, partner: UUID) -> MonthSoFar | None:
    return await cast.database.run(lambda conn: month_of_partner(conn, scope, partner, TODAY))


async def amend(cast: Cast, contract: UUID, price: str, now: datetime) -> None:
    change = Amendment(price_cents=Decimal(price))
    await cast.database.run(lambda conn: contracts.amend_contract(conn, cast.operator, contract, change, now))


async def resize(cast: Cast, actor: Actor, partner: UUID, allocated: int, now: datetime) -> None:
    change = PartnerChange(allocated_capacity=allocated)
    await cast.database.run(lambda conn: partners.update_partner(conn, actor, partner, change, now))


def moment(day: date, clock: str) -> datetime:
    return at(str(day), clock)


@pytest.mark.parametrize("seed", range(6))
async def test_random_months(cast: Cast, seed: int) -> None:
    rng = random.Random(seed)
    world = await trade(cast)
    both = [world.contract, await cast.contract(world.distributor)]
    model = Model({contract: {OPENED.date(): Fraction(100)} for contract in both})
    owners = [world.partner, *[await cast.partner(world.distributor, rng.choice(both), rng.choice([0, TB]))
                               for _ in range(3)]]  # fmt: skip
    accounts: dict[UUID, list[int]] = {}
    for owner in owners:
        row = await cast.row("select contract_id, allocated_capacity from partner where id = %s", owner.organisation_id)
        model.terms[owner.organisation_id] = {OPENED.date(): (row[0], row[1])}
        accounts[owner.organisation_id] = [await cast.account(owner) for _ in range(2)]
    await use(cast, rng, model, accounts)
    # Twice a day and across the beginning of the month, so that some terms last for no day and some from before it.
    for day in sorted(FIRST + timedelta(days=rng.randint(-5, 23)) for _ in range(14)):
        for clock in rng.sample(["00:00:00", "11:00:00", "23:59:59"], 2) if rng.random() < 0.3 else ["12:00:00"]:
            await change(cast, rng, model, world, day, clock)
    for owner in owners:
        own = owner.organisation_id
        found = await of_partner(cast, world.distributor.organisation_id, own)
        assert found is not None
        assert (int(found.excess), found.fee_cents) == model.month(own)
    for contract in both:
        found = await of_contract(cast, world.distributor.organisation_id, contract)
        parts = [model.month(owner.organisation_id, contract) for owner in owners]
        assert found is not None
        assert (int(found.excess), found.fee_cents) == (sum(part[0] for part in parts), sum(part[1] for part in parts))
        assert (found.days, found.currency) == (28, "EUR")
    (whole,) = await of_distributor(cast, world.distributor)
    parts = [model.month(owner.organisation_id, contract) for owner in owners for contract in both]
    assert (int(whole.excess), whole.fee_cents) == (sum(part[0] for part in parts), sum(part[1] for part in parts))


async def use(cast: Cast, rng: random.Random, model: Model, accounts: dict[UUID, list[int]]) -> None:
    """Two samples and what is carried between and behind them, at odd amounts."""
    samples: list[tuple[int, datetime, int]] = []
    for partner, own in accounts.items():
        days = model.usage.setdefault(partner, {})
        for account in own:
            first, second = sorted(rng.sample(range(-10, 24), 2))
            sizes = rng.randint(0, 3 * TB), rng.randint(0, 3 * TB)
            samples += [
                (account, moment(FIRST + timedelta(days=number), "05:00:00"), size)
                for number, size in zip((first, second), sizes, strict=True)
            ]
            for number in range(first, 24):
                day = FIRST + timedelta(days=number)
                days[day] = days.get(day, 0) + (sizes[0] if number < second else sizes[1])
    await record(cast, *samples)


async def change(cast: Cast, rng: random.Random, model: Model, world: Trade, day: date, clock: str) -> None:
    now = moment(day, clock)
    partner = rng.choice(list(model.terms))
    under, allocated = model.terms[partner][max(model.terms[partner])]
    kind = rng.choice(["price", "size", "move"])
    if kind == "price":
        price = rng.choice(["0", "33.333333", "100", "250.5"])
        await amend(cast, under, price, now)
        model.prices[under][day] = Fraction(price)
    elif kind == "size":
        allocated = rng.choice([0, 1, TB, 2 * TB + 1])
        await resize(cast, world.distributor, partner, allocated, now)
        model.terms[partner][day] = (under, allocated)
    else:
        under = rng.choice(list(model.prices))
        await cast.database.run(lambda conn: partners.move_partner(conn, world.distributor, partner, under, now))
        model.terms[partner][day] = (under, allocated)


async def test_half_a_cent_is_rounded_up_once_per_partner(cast: Cast) -> None:
    """14 GB on one of 28 days at one cent per GB-month are half a cent."""
    world = await trade(cast)
    await amend(cast, world.contract, "1", OPENED)
    owners = [world.partner, await cast.partner(world.distributor, world.contract)]
    for owner in owners:
        account = await cast.account(owner)
        await record(cast, (account, at("2026-02-03"), 14 * 10**9), (account, at("2026-02-04"), 0))
    found = await of_contract(cast, None, world.contract)
    assert found == (Decimal(28 * 10**9), 28, 2, "EUR")
    assert found is not None
    assert found.gb_months == 1
    await resize(cast, world.distributor, owners[0].organisation_id, 1, at("2026-02-03"))
    found = await of_contract(cast, None, world.contract)
    assert found == (Decimal(28 * 10**9 - 1), 28, 1, "EUR")


async def test_a_partner_that_has_closed_is_paid_for(cast: Cast) -> None:
    world = await trade(cast)
    account = await cast.account(world.partner)
    await record(cast, (account, at("2026-01-10"), 28 * 10**9))
    await purge(cast, world.partner, account, at("2026-02-05", "12:00:00"))
    own = world.partner.organisation_id
    await cast.database.run(lambda conn: partners.close_partner(conn, world.distributor, own, at("2026-02-06")))
    assert await of_contract(cast, None, world.contract) == (Decimal(5 * 28 * 10**9), 28, 500, "EUR")
    assert await of_partner(cast, None, own) is None


async def test_nobody_elses_month(cast: Cast) -> None:
    world = await trade(cast)
    stranger = await cast.distributor()
    own = world.partner.organisation_id
    assert await of_contract(cast, world.distributor.organisation_id, world.contract) == (0, 28, 0, "EUR")
    assert await of_partner(cast, world.distributor.organisation_id, own) == (0, 28, 0, "EUR")
    assert await of_contract(cast, stranger.organisation_id, world.contract) is None
    assert await of_partner(cast, stranger.organisation_id, own) is None
    assert await of_contract(cast, None, uuid4()) is None


async def test_contracts_of_several_currencies_are_summed_up_apart(cast: Cast) -> None:
    world = await trade(cast)
    dollars = await cast.contract(world.distributor, currency="USD")
    owners = [world.partner, await cast.partner(world.distributor, dollars)]
    for size, owner in enumerate(owners, 1):
        await record(cast, (await cast.account(owner), at("2026-02-24"), size * 28 * 10**9))
    await cast.contract(world.distributor, currency="CHF")
    singly = [await of_contract(cast, None, contract) for contract in (world.contract, dollars)]
    assert singly == [(28 * 10**9, 28, 100, "EUR"), (2 * 28 * 10**9, 28, 200, "USD")]
    assert await of_distributor(cast, world.distributor) == [(0, 28, 0, "CHF"), *singly]
    assert await of_distributor(cast, await cast.distributor()) == []


async def test_an_empty_contract_costs_nothing(cast: Cast) -> None:
    world = await trade(cast)
    empty = await cast.contract(world.distributor)
    assert await of_contract(cast, None, empty) == (0, 28, 0, "EUR")


async def test_only_the_month_so_far(cast: Cast) -> None:
    """Neither the month before nor a sample that is ahead of the day."""
    world = await trade(cast)
    account = await cast.account(world.partner)
    await record(
        cast, (account, at("2026-01-31"), 10**15), (account, at("2026-02-01"), 0), (account, at("2026-02-25"), 7)
    )

    async def read(conn: Connection) -> MonthSoFar | None:
        return await month_of_contract(conn, None, world.contract, TODAY)

    assert await cast.database.run(read) == (0, 28, 0, "EUR")

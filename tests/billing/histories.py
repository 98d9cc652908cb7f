"""Random histories of terms, prices, moves and usage, by the product's own actions, and the model of each."""

import random
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

from tests.billing.model import MonthModel
from tests.cast import TB, Cast
from tests.usage.steps import OPENED, at, record
from tonnage.access.actor import Actor
from tonnage.contracts import actions as contracts
from tonnage.contracts.contract import Amendment
from tonnage.overrides import actions as overrides
from tonnage.overrides.override import NewOverride
from tonnage.partners import actions as partners
from tonnage.partners.partner import PartnerChange

FIRST = date(2026, 2, 1)
TODAY = date(2026, 2, 24)
PRICES = ["0", "0.000001", "33.333333", "100", "250.5"]


@dataclass
class History:
    cast: Cast
    distributor: Actor
    model: MonthModel

    async def change(self, rng: random.Random, now: datetime) -> None:
        """Applies one random change, perhaps to the present value."""
        partner = rng.choice(list(self.model.terms))
        _, contract, allocated, overdraft = self.model.terms[partner][-1]
        kind = rng.choice(["price", "size", "size", "overdraft", "move", "grant", "end"])
        if kind == "end":
            return await self.end(partner, now)
        if kind == "grant":
            return await self.grant(rng, partner, allocated, now)
        if kind == "price":
            return await self.amend(contract, rng.choice(PRICES), now)
        if kind == "move":
            contract = rng.choice(list(self.model.prices))
            await self.cast.database.run(partners.move_partner, self.distributor, partner, contract, now)
        else:
            allocated = rng.choice([0, 1, TB, 2 * TB + 1]) if kind == "size" else allocated
            overdraft = not overdraft if kind == "overdraft" else overdraft
            change = PartnerChange(allocated_capacity=allocated, allow_overdraft=overdraft)
            await self.cast.database.run(partners.update_partner, self.distributor, partner, change, now)
        self.model.set_terms(partner, contract, allocated, overdraft, now)
        return None

    async def grant(self, rng: random.Random, partner: UUID, allocated: int, now: datetime) -> None:
        if allocated:
            last = now.date() + timedelta(days=rng.choice([0, 1, 3, 30]))
            override = NewOverride(allocated + rng.choice([1, TB]), last, "A test", rng.random() < 0.5)
            await self.cast.database.run(overrides.grant_to_partner, self.distributor, partner, override, now)
            self.model.grant(partner, override.capacity, at(str(last + timedelta(days=1))), now)

    async def end(self, partner: UUID, now: datetime) -> None:
        await self.cast.database.run(overrides.end_of_partner, self.distributor, partner, now)
        self.model.end(partner, now)

    async def amend(self, contract: UUID, price: str, now: datetime) -> None:
        await amend(self.cast, contract, price, now)
        self.model.set_price(contract, Fraction(price), now)


async def amend(cast: Cast, contract: UUID, price: str, now: datetime) -> None:
    change = Amendment(price_cents=Decimal(price))
    await cast.database.run(contracts.amend_contract, cast.operator, contract, change, now)


async def resize(cast: Cast, distributor: Actor, partner: Actor, allocated: int, now: datetime) -> None:
    change = PartnerChange(allocated_capacity=allocated)
    await cast.database.run(partners.update_partner, distributor, partner.organisation_id, change, now)


async def move(cast: Cast, distributor: Actor, partner: Actor, contract: UUID, now: datetime) -> None:
    await cast.database.run(partners.move_partner, distributor, partner.organisation_id, contract, now)


async def random_history(cast: Cast, rng: random.Random, currency: str) -> History:
    """Two contracts, four partners, and changes since some days before the month.

    Several changes on a day and at one instant, so that some terms have no duration; and clocks that go back.
    """
    cast.now = OPENED
    await cast.region()
    distributor = await cast.distributor()
    both = [await cast.contract(distributor, currency=currency) for _ in range(2)]
    model = MonthModel(currency, {contract: [(OPENED, Fraction(100))] for contract in both})
    history = History(cast, distributor, model)
    for _ in range(4):
        contract, allocated, overdraft = rng.choice(both), rng.choice([0, TB]), rng.random() < 0.5
        partner = await cast.partner(distributor, contract, allocated, overdraft=overdraft)
        model.terms[partner.organisation_id] = [(OPENED, contract, allocated, overdraft)]
        await _use(cast, rng, model, partner)
    for number in sorted(rng.randint(-5, 23) for _ in range(16)):
        clocks = rng.choice([["12:00:00"], ["00:00:00", "23:59:59"], ["11:00:00"] * 3, ["13:00:00", "02:00:00"]])
        for clock in clocks:
            await history.change(rng, at(str(FIRST + timedelta(days=number)), clock))
    return history


async def _use(cast: Cast, rng: random.Random, model: MonthModel, partner: Actor) -> None:
    """Usage of two accounts: two samples each of odd sizes, carried between and after them."""
    days = model.usage.setdefault(partner.organisation_id, {})
    for _ in range(2):
        account = await cast.account(partner)
        first, second = sorted(rng.sample(range(-10, 24), 2))
        most = rng.choice([3 * TB, 3 * 10**9])
        sizes = rng.randint(0, most), rng.randint(0, most)
        samples = [
            (account, at(str(FIRST + timedelta(days=number))), size)
            for number, size in zip((first, second), sizes, strict=True)
        ]
        await record(cast, *samples)
        for number in range(first, 24):
            day = FIRST + timedelta(days=number)
            days[day] = days.get(day, 0) + (sizes[0] if number < second else sizes[1])

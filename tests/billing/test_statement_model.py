"""Random histories of terms, moves, prices, late usage and closures: the product's lines are those of a model that
shares no code with it, for buyers of all three levels.
"""

import asyncio
import random
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID

import pytest

from tests.billing.histories import amend, move, resize
from tests.billing.statement_model import Book, Charge, Granted, Offer, Seller, StatementModel, Thing
from tests.cast import TB, Cast
from tests.recompute import recompute_files
from tests.usage.steps import OPENED, at, purge, record
from tonnage.access.actor import Actor
from tonnage.billing.buyer import DraftId
from tonnage.billing.line import Extra, Line
from tonnage.billing.month import Month
from tonnage.documents.lines_csv import working_csv
from tonnage.overrides import actions as overrides
from tonnage.overrides.override import NewOverride
from tonnage.partners import actions as partners
from tonnage.price_books import actions as price_books
from tonnage.price_books.assignment import NewAssignment, Subject, SubjectKind
from tonnage.price_books.price_book import NewPriceBook
from tonnage.price_books.version import Product
from tonnage.price_books.version_body import VersionReqBody
from tonnage.statements import queries
from tonnage.statements.actions import find_working
from tonnage.statements.statement import Draft

pytestmark = [pytest.mark.anyio, pytest.mark.oldest_postgresql]

FIRST = date(2026, 2, 1)
PRICES = ["0", "0.000001", "0.69", "33.333333", "250.5"]
BANDS = [Decimal("3.3"), Decimal("0.7"), Decimal(1)]
SIZES = [0, 0, 1, TB, 2 * TB + 1]
"""Of which 0, pay-per-use, comes twice."""


class World:
    """A history, in the database and in the model."""

    def __init__(self, cast: Cast, rng: random.Random, last: date) -> None:
        self.cast, self.rng = cast, rng
        self.model = StatementModel(FIRST, last)
        self.sellers: dict[UUID, Seller] = {}
        self.books: dict[UUID, Book] = {}
        self.owners: dict[UUID, Actor] = {}
        self.currency = "EUR"

    def plain_books(self) -> list[UUID]:
        return [one for one, book in self.books.items() if "tiers" not in book.versions[0][1]]

    def price(self) -> str:
        return self.rng.choice(PRICES)

    def offer(self, *, tiered: bool) -> tuple[dict[str, Any], Offer]:
        """A body of the API, and the same for the model."""
        rng = self.rng
        body: dict[str, Any] = {"prorateMinimums": rng.random() < 0.7}
        offer: Offer = {"prorate": body["prorateMinimums"]}
        for name, product in (("reserved", "reserved"), ("excess", "excess"), ("payPerUse", "pay_per_use")):
            if rng.random() < 0.7:
                body[name] = self.price()
                offer[product] = Fraction(body[name])
        if rng.random() < 0.4:
            pool = rng.choice(["account", "partner", "contract"])
            body["payPerUseMinimum"] = {"gb": rng.choice([0, 700, 3000]), "pool": pool}
            offer["minimum"] = (body["payPerUseMinimum"]["gb"], pool)
        if rng.random() < 0.3:
            body["minimumCharge"] = rng.choice(["1000", "9999999.5"])
            offer["minimum_charge"] = Fraction(body["minimumCharge"])
        if rng.random() < 0.3:
            body["discountPercent"] = rng.choice(["2.5", "100"])
            offer["discount"] = Fraction(body["discountPercent"])
        if tiered:
            name, product = rng.choice([("reserved", "reserved"), ("payPerUse", "pay_per_use")])
            mode = rng.choice(["graduated", "volume"])
            bands = [(500, "3.3"), (1500, "0.7"), (None, "1")]  # as in BANDS
            rows = [{"price": price} | ({"upToGb": upper} if upper else {}) for upper, price in bands]
            body["tiers"] = {"on": name, "mode": mode, "bands": rows}
            offer["tiers"] = (product, mode, tuple((upper, Fraction(price)) for upper, price in bands))
        return body, offer

    async def book(self, seller: Actor, now: datetime, *, default: bool = False, tiered: bool = False) -> UUID:
        """A book with one version: from the first of the month if tiered, else from a day that is not over."""
        new = NewPriceBook("Prices", self.currency, default)
        made = await self.cast.database.run(price_books.create_book, seller, new, now)
        self.books[made.id], self.owners[made.id] = Book(self.currency), seller
        if default:
            self.sellers[seller.organisation_id].default = self.books[made.id]
        since = FIRST if tiered else self.day_from(now)
        await self.publish(seller, made.id, since, now, tiered=tiered)
        return made.id

    def day_from(self, now: datetime) -> date:
        return now.date() + timedelta(days=self.rng.choice([0, 0, 1, 3]))

    async def publish(self, seller: Actor, book: UUID, since: date, now: datetime, *, tiered: bool = False) -> None:
        body, offer = self.offer(tiered=tiered)
        version = VersionReqBody.model_validate({"validFrom": since.isoformat(), **body}).new_version()
        number, _ = await self.cast.database.run(price_books.add_version, seller, book, version, now)
        await self.cast.database.transaction(price_books.publish, seller, book, number, now)
        self.books[book].versions.append((since, offer))

    async def assign(self, seller: Actor, subject: Subject, book: UUID | None, since: date, now: datetime) -> None:
        assignment = NewAssignment(book, since)
        await self.cast.database.transaction(price_books.assign, seller, subject, assignment, now)
        assigned = self.sellers[seller.organisation_id].assigned.setdefault(subject.id, [])
        assigned.append((since, self.books[book] if book else None))

    async def lines(self, kind: SubjectKind, buyer_id: UUID | int) -> list[Charge] | None:
        month = Month.of(FIRST, self.model.last)

        async def read(conn: Any) -> Any:
            buyer = await queries.find_buyer(conn, None, Subject(kind, buyer_id))
            assert buyer is not None
            return buyer, await queries.draft(conn, buyer, month)

        buyer, found = await self.cast.database.run(read)
        if not isinstance(found, Draft):
            return None
        files: list[bytes] = []
        now = datetime.combine(self.model.last, time(23), UTC)
        for number, line in enumerate(found.lines, 1):
            draft_id = DraftId(buyer_id, FIRST)
            _, working = await find_working(self.cast.database, buyer.seller_id, draft_id, number, now)
            assert_working(line, working)
            files.append(working_csv(working))
        if files:
            done = await asyncio.to_thread(recompute_files, files)
            assert (done.returncode, done.stdout, done.stderr) == (0, f"{found.document()['net']}\n", "")
        return [charge(found, line) for line in found.lines]


def assert_working(line: Line, working: dict[str, Any]) -> None:
    """The days of a line add up to it; of bands, to all of them."""
    days = working["days"]
    together = sum(day["quantity"] for day in days)
    match line.product:
        case Product.RESERVED | Product.EXCESS | Product.PAY_PER_USE | Product.EGRESS:
            assert together == (working["band"]["totalByteDays"] if "band" in working else line.byte_days)
            assert days[0]["day"] == line.first.isoformat()
            assert days[-1]["day"] == line.last.isoformat()
        case Extra.CAPACITY_MINIMUM:
            assert together == working["capacityMinimum"]["usedByteDays"]
        case _:
            assert not days


def charge(found: Draft, line: Any) -> Charge:
    price = None if line.unit_price is None else Fraction(line.unit_price)
    minor = int(line.amount.amount * {"EUR": 100, "JPY": 1, "KWD": 1000}[found.currency])
    return Charge(line.product.value, line.subject_id, line.contract_id, price, line.byte_days, minor)


async def begin(cast: Cast, rng: random.Random, last: date) -> tuple[World, Actor, list[UUID], list[Actor]]:
    world = World(cast, rng, last)
    cast.now = OPENED
    await cast.region()
    distributor = await cast.distributor()
    world.currency = rng.choice(["EUR", "JPY", "KWD"])
    contracts = [await cast.contract(distributor, currency=world.currency) for _ in range(2)]
    for contract in contracts:
        world.model.things[contract] = Thing(OPENED, [(OPENED, (100 * TB, Fraction(100)))])
    buyers: list[Actor] = []
    for _ in range(4):
        contract, size = rng.choice(contracts), rng.choice(SIZES)
        partner = await cast.partner(distributor, contract, size, overdraft=True)
        buyers.append(partner)
        accounts: list[int] = []
        for _ in range(2):
            allocated = rng.choice(SIZES)
            account = await cast.account(partner, allocated, overdraft=True)
            world.model.things[account] = Thing(OPENED, [(OPENED, (None, allocated))])
            accounts.append(account)
        terms: list[tuple[datetime, Any]] = [(OPENED, (contract, size))]
        world.model.things[partner.organisation_id] = Thing(OPENED, terms, accounts=accounts)
    for seller in (cast.operator, distributor, *buyers):
        world.sellers[seller.organisation_id] = Seller()
    return world, distributor, contracts, buyers


async def use(world: World, partner: Actor, until: date) -> None:
    """Two readings of each account, carried between and after them."""
    rng = world.rng
    for account in world.model.things[partner.organisation_id].accounts:
        first, second = sorted(rng.sample(range(-10, 23), 2))
        sizes = rng.randint(0, 3 * TB), rng.randint(0, rng.choice([3 * TB, 3 * 10**9]))
        readings = [
            (account, at(str(FIRST + timedelta(days=number))), size)
            for number, size in zip((first, second), sizes, strict=True)
        ]
        await record(world.cast, *readings)
        thing = world.model.things[account]
        day = FIRST + timedelta(days=first)
        while day <= until:
            thing.usage[day] = sizes[0] if day < FIRST + timedelta(days=second) else sizes[1]
            day += timedelta(days=1)


async def change(world: World, distributor: Actor, contracts: list[UUID], buyers: list[Actor], now: datetime) -> None:
    """One change of terms or prices."""
    rng, things, cast = world.rng, world.model.things, world.cast
    buyer = rng.choice(buyers)
    thing = things[buyer.organisation_id]
    contract, size = thing.terms[-1][1]
    match rng.choice(
        ["amend", "resize", "move", "version", "assign", "assign_contract", "assign_account", "grant", "grant"]
    ):
        case "grant":
            await grant(world, distributor, buyer, now)
        case "amend":
            price = world.price()
            await amend(cast, contract, price, now)
            reserved, _ = things[contract].terms[-1][1]
            things[contract].change((reserved, Fraction(price)), now)
        case "resize":
            wanted = rng.choice(SIZES)
            await resize(cast, distributor, buyer, wanted, now)
            thing.change((contract, wanted), now)
        case "move":
            target = rng.choice(contracts)
            await move(cast, distributor, buyer, target, now)
            thing.change((target, size), now)
        case "version":
            if plain := world.plain_books():
                book = rng.choice(plain)
                await world.publish(world.owners[book], book, world.day_from(now), now)
        case "assign":
            await assign_some(world, distributor, Subject(SubjectKind.PARTNER, buyer.organisation_id), now)
        case "assign_contract":
            seller = rng.choice([cast.operator, distributor])
            await assign_some(world, seller, Subject(SubjectKind.CONTRACT, contract), now)
        case _:
            account = rng.choice(thing.accounts)
            await assign_some(world, buyer, Subject(SubjectKind.ACCOUNT, account), now)


async def grant(world: World, distributor: Actor, buyer: Actor, now: datetime) -> None:
    """An override of the partner or of one of its accounts, if that has an allocation."""
    rng, whose = world.rng, buyer.organisation_id
    account = rng.choice([None, *world.model.things[whose].accounts])
    thing = world.model.things[whose if account is None else account]
    _, size = thing.terms[-1][1]
    if not size:
        return
    last = now.date() + timedelta(days=rng.choice([0, 1, 3, 30]))
    override = NewOverride(size + rng.choice([1, TB]), last, "A test", rng.random() < 0.6)
    database = world.cast.database
    if account is None:
        await database.run(overrides.grant_to_partner, distributor, whose, override, now)
    else:
        await database.run(overrides.grant_to_account, buyer, whose, account, override, now)
    thing.grant(Granted(override.capacity, override.is_free, now, at(str(last + timedelta(days=1)))))


async def assign_some(world: World, seller: Actor, subject: Subject, now: datetime) -> None:
    plain = [one for one in world.plain_books() if world.owners[one] == seller]
    present = world.sellers[seller.organisation_id].assigned.get(subject.id, [])
    if any(book and "tiers" in book.versions[0][1] for _, book in present):
        return  # prices by quantity end on the first of a month
    book = world.rng.choice([*plain, None])
    await world.assign(seller, subject, book, world.day_from(now), now)


async def prepare_prices(world: World, distributor: Actor, contracts: list[UUID], buyers: list[Actor]) -> None:
    """Before the month: default books, and tiers from its first day."""
    rng, now = world.rng, at("2026-01-30", "09:00:00")
    for seller in (world.cast.operator, distributor, *buyers[:2]):
        if rng.random() < 0.8:
            # The operator is shared with other tests, to whose contracts its default book would apply.
            await world.book(seller, now, default=seller != world.cast.operator and rng.random() < 0.7)
        await world.book(seller, now)
    tiered = await world.book(distributor, now, tiered=True)
    subject = Subject(SubjectKind.PARTNER, buyers[0].organisation_id)
    await world.assign(distributor, subject, tiered, FIRST, now)
    tiered = await world.book(world.cast.operator, now, tiered=True)
    await world.assign(world.cast.operator, Subject(SubjectKind.CONTRACT, contracts[0]), tiered, FIRST, now)


async def close_one(world: World, distributor: Actor, partner: Actor, when: datetime) -> None:
    """Its accounts are purged at noon, and it is closed on the same day."""
    thing = world.model.things[partner.organisation_id]
    for account in thing.accounts:
        await purge(world.cast, partner, account, when)
        of_account = world.model.things[account]
        of_account.closed = when
        day = when.date()
        of_account.usage = {
            one: (used if one < day else (used + 1) // 2) for one, used in of_account.usage.items() if one <= day
        }
    await world.cast.database.run(partners.close_partner, distributor, partner.organisation_id, when)
    thing.closed = when
    for one in (thing, *(world.model.things[account] for account in thing.accounts)):
        for override in one.overrides:
            override.until = min(override.until, when)


@pytest.mark.parametrize("seed", range(10))
async def test_lines_are_those_of_the_model(cast: Cast, seed: int) -> None:
    rng = random.Random(seed)
    last = date(2026, 2, 28 if seed % 2 else 24)
    world, distributor, contracts, buyers = await begin(cast, rng, last)
    await prepare_prices(world, distributor, contracts, buyers)
    for buyer in buyers[1:]:
        await use(world, buyer, last)
    for number in sorted(rng.randint(0, 23) for _ in range(10)):
        clock = rng.choice(["00:00:00", "12:00:00", "23:59:59"])
        await change(world, distributor, contracts, buyers, at(str(FIRST + timedelta(days=number)), clock))
    await use(world, buyers[0], last)  # late
    await close_one(world, distributor, buyers[3], at("2026-02-24", "12:00:00"))
    for contract in contracts:
        expected = world.model.of_contract(world.sellers[cast.operator.organisation_id], contract, world.currency)
        assert sorted(await world.lines(SubjectKind.CONTRACT, contract) or [], key=str) == sorted(expected, key=str)
    for buyer in buyers:
        partner = buyer.organisation_id
        of_distributor = world.sellers[distributor.organisation_id]
        expected = world.model.of_partner(of_distributor, partner, world.currency)
        assert sorted(await world.lines(SubjectKind.PARTNER, partner) or [], key=str) == sorted(expected, key=str)
        for account in world.model.things[partner].accounts:
            expected = world.model.of_account(world.sellers[partner], partner, account, world.currency)
            assert sorted(await world.lines(SubjectKind.ACCOUNT, account) or [], key=str) == sorted(expected, key=str)

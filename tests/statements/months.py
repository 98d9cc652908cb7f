"""A month that is over, with sellers on three levels."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from tests.billing_profiles.profiles import of_country
from tests.cast import TB, Cast
from tests.data_dir import DATA_DIR
from tests.usage.steps import at, record
from tonnage.access.actor import Actor
from tonnage.billing_profiles import actions as profiles
from tonnage.billing_profiles import settings_actions as settings
from tonnage.billing_profiles.billing_profile import ProfileSubject, read_profile
from tonnage.billing_profiles.settings import SellerSettings
from tonnage.billing_profiles.tax import TaxRate
from tonnage.db import Database
from tonnage.month_end.freezing import FreezeResult
from tonnage.month_end.freezing_actions import freeze
from tonnage.price_books import actions as price_books
from tonnage.price_books.assignment import NewAssignment, Subject, SubjectKind
from tonnage.price_books.price_book import NewPriceBook
from tonnage.price_books.version import NewVersion, Prices
from tonnage.regions.backends import OpenBackends
from tonnage.services import Services

MARCH, APRIL = date(2026, 3, 1), at("2026-04-03")


@dataclass
class Sellers:
    """The operator, a distributor and a partner, each with a buyer: 11 TB are stored all month of 10 TB allocated."""

    cast: Cast
    distributor: Actor
    contract: UUID
    partner: Actor
    account: int

    async def describe(self, seller: Actor, country: str = "DE", vat_id: str = "DE136695976") -> None:
        """Its profile, and 19 % from 2020 on."""
        await self._keep(seller, ProfileSubject.own(seller), country, vat_id)
        rates = [TaxRate(date(2020, 1, 1), Decimal(19))]
        await self.cast.database.run(settings.set_tax_rates, seller, rates, self.cast.now)

    async def describe_account(self) -> None:
        """The account's customer, by its partner."""
        await self._keep(self.partner, profiles.of_account(self.partner, self.account), "DE", "")

    async def _keep(self, keeper: Actor, subject: ProfileSubject, country: str, vat_id: str) -> None:
        profile = read_profile(of_country(country, vat_id, paymentTermDays=14))
        await self.cast.database.run(profiles.set_profile, keeper, subject, profile, self.cast.now)

    async def number(self, seller: Actor, **more: Any) -> None:
        await self.cast.database.run(settings.set_settings, seller, SellerSettings(**more), self.cast.now)

    async def price(
        self, seller: Actor, currency: str = "EUR", since: date = MARCH, excess: str | None = None, **more: Any
    ) -> UUID:
        """A default book, 2 cents of excess and 0.9 reserved."""
        run, now = self.cast.database.run, self.cast.now
        book = await run(price_books.create_book, seller, NewPriceBook("Prices", currency, excess is None), now)
        found = Prices(reserved=None if excess else Decimal("0.9"), excess=Decimal(excess or "2"), **more)
        number, _ = await run(price_books.add_version, seller, book.id, NewVersion(since, found), now)
        await self.cast.database.transaction(price_books.publish, seller, book.id, number, now, correct=True)
        return book.id

    async def reprice(self, seller: Actor, reserved: str, excess: str, since: date = MARCH) -> None:
        """A version more of its first book."""
        run, now = self.cast.database.run, self.cast.now
        book = (
            await self.cast.row("select id from price_book where seller_id = %s order by seq", seller.organisation_id)
        )[0]
        new = NewVersion(since, Prices(reserved=Decimal(reserved), excess=Decimal(excess)))
        number, _ = await run(price_books.add_version, seller, book, new, now)
        await self.cast.database.transaction(price_books.publish, seller, book, number, now, correct=True)

    async def assign(
        self, seller: Actor, kind: SubjectKind, subject: UUID | int, book: UUID | None, since: date
    ) -> None:
        await self.cast.database.transaction(
            price_books.assign, seller, Subject(kind, subject), NewAssignment(book, since), self.cast.now, correct=True
        )

    async def another(self, name: str, allocated: int = 0) -> Actor:
        """A partner more, with 1 TB stored."""
        self.cast.now = at("2026-03-01")
        partner = await self.cast.partner(self.distributor, self.contract, allocated, name=name)
        account = await self.cast.account(partner)
        self.cast.now = APRIL
        await record(self.cast, (account, at("2026-03-01"), TB), now=APRIL)
        return partner

    async def store(self, bytes_: int) -> None:
        """In the account, since the 20th: recorded late."""
        await record(self.cast, (self.account, at("2026-03-20"), bytes_), now=self.cast.now)

    @property
    def services(self) -> Services:
        return services_of(self.cast.database)

    async def freeze(self, seller: Actor) -> FreezeResult:
        return await freeze(self.services, seller, MARCH, self.cast.now)

    async def rows(self, columns: str, seller: Actor | None = None) -> list[Any]:
        """Of the statements, in order of their numbers."""
        async with self.cast.database.streams.connection() as conn:
            cursor = await conn.execute(
                f"select {columns} from statement s where coalesce(seller_id = %s, true) order by number, id".encode(),
                [seller and seller.organisation_id],
            )
            return await cursor.fetchall()


def services_of(database: Database) -> Services:
    """Numbers are recorded in a data directory, since other tests of the database leave clusters that are away."""
    return Services(database, OpenBackends(database, None), data_dir=DATA_DIR)


async def sellers(cast: Cast) -> Sellers:
    cast.now = at("2026-03-01")
    await cast.region()
    distributor = await cast.distributor()
    contract = await cast.contract(distributor)
    partner = await cast.partner(distributor, contract, 10 * TB, name="Pia")
    account = await cast.account(partner, TB)
    await record(cast, (account, at("2026-03-01"), 11 * TB), now=cast.now)
    cast.now = APRIL
    return Sellers(cast, distributor, contract, partner, account)


async def unused_sellers(cast: Cast) -> Sellers:
    """The same with nothing stored, as of the cast's present."""
    await cast.region()
    distributor = await cast.distributor()
    contract = await cast.contract(distributor)
    partner = await cast.partner(distributor, contract, 10 * TB)
    return Sellers(cast, distributor, contract, partner, await cast.account(partner, TB))


async def sellers_with_prices(cast: Cast) -> Sellers:
    """The distributor can freeze: it has prices, and it and its partner have profiles."""
    found = await sellers(cast)
    for seller in (found.distributor, found.partner):
        await found.describe(seller)
    await found.price(found.distributor)
    return found


async def february(cast: Cast, distributor: Actor, contract: UUID) -> None:
    """A partner that can be billed for February, 2026."""
    now, cast.now = cast.now, at("2026-02-01")
    partner = await cast.partner(distributor, contract, TB)
    cast.now = now
    data = Sellers(cast, distributor, contract, partner, 0)
    for organisation in (distributor, partner):
        await data.describe(organisation)
    await data.price(distributor, since=date(2026, 2, 1))

"""A partner and its customer, with overdraft or pay-per-use and a price of 10 cents, on the days of April 2026."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from tests.cast import TB, Cast
from tests.statements.months import Sellers, unused_sellers
from tests.usage.steps import at
from tonnage.access.actor import Actor
from tonnage.db.rendered import Versioned
from tonnage.overdraft_caps import actions
from tonnage.overdraft_caps.overdraft_cap import NewCap
from tonnage.price_books.assignment import SubjectKind

FIRST = at("2026-04-01", "09:00:00")


@dataclass
class Capped:
    """An account of a partner, whose allocations are given, both with overdraft."""

    sellers: Sellers
    account: int

    @property
    def cast(self) -> Cast:
        return self.sellers.cast

    @property
    def partner(self) -> Actor:
        return self.sellers.partner

    async def cap(self, cap: NewCap | None, now: datetime = FIRST, **more: Any) -> Versioned | None:
        """Of the account; None removes it."""
        if cap is None:
            return await self.cast.database.run(actions.remove_of_account, self.partner, self.account, **more)
        return await self.cast.database.run(actions.set_of_account, self.partner, self.account, cap, now, **more)

    async def cap_partner(self, cap: NewCap | None, now: datetime = FIRST, **more: Any) -> Versioned | None:
        """The same of the partner."""
        by, whose, run = self.sellers.distributor, self.partner.organisation_id, self.cast.database.run
        if cap is None:
            return await run(actions.remove_of_partner, by, whose, **more)
        return await run(actions.set_of_partner, by, whose, cap, now, **more)

    async def allows(self) -> int | None:
        """What the account may use beyond its allocation, bytes; None: there is no cap."""
        found = await self.cast.database.run(actions.cap_of_account, self.partner, self.account)
        return found.cap.allows if found.cap else None

    async def allows_partner(self) -> int | None:
        """The same of the partner."""
        found = await self.cast.database.run(actions.cap_of_partner, self.partner, self.partner.organisation_id)
        return found.cap.allows if found.cap else None

    async def price(self, seller: Actor, excess: str = "10", **more: Any) -> None:
        """10 cents for a GB-month, of the seller's default book."""
        book = await self.sellers.price(seller, excess=excess, since=FIRST.date(), **more)
        kind = SubjectKind.PARTNER if seller is self.sellers.distributor else SubjectKind.ACCOUNT
        subject = self.partner.organisation_id if kind is SubjectKind.PARTNER else self.account
        await self.sellers.assign(seller, kind, subject, book, FIRST.date())


async def capped(cast: Cast, allocated: int = 10 * TB, *, of_partner: int = 20 * TB, overdraft: bool = True) -> Capped:
    cast.now = at("2026-03-31")
    found = await unused_sellers(cast)
    contract = await cast.contract(found.distributor)
    partner = await cast.partner(found.distributor, contract, of_partner, overdraft=overdraft)
    account = await cast.account(partner, allocated, overdraft=overdraft)
    cast.now = FIRST
    return Capped(Sellers(cast, found.distributor, contract, partner, account), account)


EUR_100 = NewCap(amount=Decimal("100.00"))

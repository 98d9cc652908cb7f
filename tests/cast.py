"""Test data by name: an operator, distributors, contracts, partners, accounts. All new, with random names."""

import uuid
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from tonnage.access.actor import Actor, Kind, Role
from tonnage.accounts import actions as accounts
from tonnage.accounts.account import NewAccount
from tonnage.api_keys import actions as api_keys
from tonnage.api_keys.api_key import NewKey
from tonnage.clock import BusinessClock
from tonnage.contracts import actions as contracts
from tonnage.contracts.contract import NewContract
from tonnage.db import Database
from tonnage.epoch.epoch import Permit
from tonnage.organisations import actions as organisations
from tonnage.organisations.queries import operator_id
from tonnage.partners import actions as partners
from tonnage.partners.partner import NewPartner
from tonnage.price_books import actions as price_books
from tonnage.price_books.price_book import NewPriceBook
from tonnage.price_books.version import NewVersion, Prices
from tonnage.provisioning import purge_queries
from tonnage.provisioning.purge_actions import purge_due
from tonnage.regions import actions as regions
from tonnage.regions.backends import OpenBackends
from tonnage.regions.region import NewRegion
from tonnage.storage.backend import Backends

TB = 10**12
NOW = datetime(2026, 3, 15, 12, 0, tzinfo=UTC)


ANY_AGE = timedelta(seconds=-1)
"""A grace period that every mark on a cluster has waited for: the time of an answer has whole seconds, truncated."""


def unique(word: str) -> str:
    return f"{word} {uuid.uuid4().hex[:12]}"


@dataclass
class Cast:
    """Creates members of the cast by the product's own actions, at the time `now`."""

    database: Database
    operator: Actor
    now: datetime = NOW

    @classmethod
    async def of(cls, database: Database) -> "Cast":
        operator = await database.run(operator_id)
        return cls(database, Actor(operator, Kind.OPERATOR, Role.ADMIN, "cli"))

    async def region(self, name: str | None = None) -> str:
        name = name or f"r{uuid.uuid4().hex[:12]}"
        region = NewRegion(name, "https://s3.example.org", "https://iam.example.org", "https://sts.example.org")
        await self.database.run(regions.add_region, self.operator, region, self.now)
        return name

    async def distributor(self, name: str | None = None) -> Actor:
        made = await self.database.run(
            organisations.create_distributor, self.operator, name or unique("Distributor"), self.now
        )
        return Actor(made, Kind.DISTRIBUTOR, Role.ADMIN, "cli")

    async def contract(
        self, distributor: Actor, reserved: int = 100 * TB, *, currency: str = "EUR", details: str | None = None
    ) -> UUID:
        terms = NewContract(reserved, Decimal(100), currency, details)
        await self._reopen(self.now)
        made = await self.database.run(
            contracts.create_contract, self.operator, distributor.organisation_id, terms, self.now
        )
        return made.id

    async def _reopen(self, now: datetime) -> None:
        """The operator is shared: what another test has frozen of the months from now on is no past of this one."""

        async def forget(conn: Any) -> None:
            await conn.execute(
                "delete from month_close where seller_id = %s and month >= date_trunc('month', %s::timestamp)",
                [self.operator.organisation_id, now.replace(tzinfo=None)],
            )

        await self.database.run(forget)

    async def partner(
        self,
        distributor: Actor,
        contract: UUID,
        allocated: int = 0,
        *,
        overdraft: bool | None = None,
        name: str | None = None,
    ) -> Actor:
        details = NewPartner(contract, name or unique("Partner"), allocated, overdraft)
        made = await self.database.run(partners.create_partner, distributor, details, self.now)
        return Actor(made.id, Kind.PARTNER, Role.ADMIN, "cli")

    async def account(
        self,
        partner: Actor,
        allocated: int = 0,
        *,
        overdraft: bool = False,
        name: str | None = None,
        region: str | None = None,
    ) -> int:
        email = f"{uuid.uuid4().hex}@example.org"
        details = NewAccount(name or unique("Account"), email, "hash", allocated, overdraft, region)
        made = await self.database.run(accounts.create_account, partner, partner.organisation_id, details, self.now)
        return made.id

    async def price_book(self, seller: Actor, *, currency: str = "EUR") -> UUID:
        """With a draft, its first version."""
        book = await self.database.run(
            price_books.create_book, seller, NewPriceBook(unique("Prices"), currency), self.now
        )
        version = NewVersion(date(2099, 2, 1), Prices(reserved=Decimal("0.69")))
        await self.database.run(price_books.add_version, seller, book.id, version, self.now)
        return book.id

    async def price(self, seller: Actor, excess: str, now: datetime | None = None) -> None:
        """From that day on all of its buyers pay that many cents for a GB-month beyond their allocation, in EUR."""
        when = now or self.now
        book = await self.database.run(
            price_books.create_book, seller, NewPriceBook(unique("Prices"), "EUR", is_default=True), when
        )
        version = NewVersion(when.date(), Prices(excess=Decimal(excess)))
        number, _ = await self.database.run(price_books.add_version, seller, book.id, version, when)
        await self.database.transaction(price_books.publish, seller, book.id, number, when)

    async def key(self, actor: Actor, role: Role = Role.ADMIN, *, valid_until: datetime | None = None) -> str:
        details = NewKey("for a test", role, valid_until)
        key, _ = await self.database.run(api_keys.create_key, self.operator, actor.organisation_id, details, self.now)
        return key

    async def purge(self, now: datetime, backends: Backends | None = None) -> int:
        """Runs the purge job at that time, with marks of any age. Without `backends` all regions must be metered."""
        backends = backends or OpenBackends(self.database, None)
        due = await self.database.run(purge_queries.regions_due, now)
        return sum(
            [
                await purge_due(
                    self.database,
                    await backends.of(region_id),
                    Permit(region_id, 0, now),
                    self.operator,
                    BusinessClock(lambda: now),
                    ANY_AGE,
                )
                for region_id in due
            ]
        )

    async def row(self, query: Any, *params: object) -> tuple[Any, ...]:
        """One row of a query of the test's own."""

        async def ask(conn: Any) -> tuple[Any, ...]:
            row = await (await conn.execute(query, params)).fetchone()
            assert row is not None
            return row

        return await self.database.run(ask)


def with_role(actor: Actor, role: Role) -> Actor:
    return replace(actor, role=role)

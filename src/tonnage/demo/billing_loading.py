"""Loads prices and profiles of the sample data, and freezes the months that are over."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from tonnage.access.actor import Actor, Kind
from tonnage.billing import actions as billing
from tonnage.billing_profiles import actions as profiles
from tonnage.billing_profiles import settings_actions as settings
from tonnage.billing_profiles.billing_profile import ProfileSubject, read_profile
from tonnage.billing_profiles.tax import TaxRate
from tonnage.credit_notes.actions import create_credit_note
from tonnage.credit_notes.new_credit_note import LineAmount
from tonnage.db import Connection, Database
from tonnage.demo import billing_scene, corrected_month, queries, scene
from tonnage.demo.billing_scene import SampleSeller
from tonnage.demo.months import months_before
from tonnage.errors import Conflict
from tonnage.month_end.freezing_actions import freeze
from tonnage.numbering.actions import NumberStores, open_stores
from tonnage.organisations.queries import operator_id
from tonnage.price_books import actions as price_books
from tonnage.price_books.price_book import NewPriceBook
from tonnage.price_books.version import NewVersion, Prices
from tonnage.services import Services
from tonnage.statements.actions import pay
from tonnage.statements.adjustment_actions import create_adjustment
from tonnage.statements.frozen import Payment
from tonnage.statements.frozen_queries import frozen_id_of
from tonnage.utc import day_of, month_after


async def load(conn: Connection, accounts: Mapping[int, scene.Customer], founded: datetime, now: datetime) -> None:
    """Prices and profiles, in the caller's transaction. `accounts`: those that were opened, by their numbers."""
    for seller in billing_scene.SELLERS:
        await _sell(conn, await _actor(conn, seller), seller, founded, now)
    await _describe(conn, accounts, founded)


async def _actor(conn: Connection, seller: SampleSeller) -> Actor:
    return Actor.on_command_line(seller.id or await operator_id(conn), seller.kind)


async def _sell(conn: Connection, actor: Actor, seller: SampleSeller, founded: datetime, now: datetime) -> None:
    await settings.set_settings(conn, actor, seller.settings, founded)
    await settings.set_tax_rates(conn, actor, [TaxRate(date(2020, 1, 1), Decimal(19))], founded)
    book = await price_books.create_book(conn, actor, NewPriceBook(seller.book, seller.currency, True), founded)
    await _publish(conn, actor, book.id, seller.prices, founded.replace(day=1), founded)
    if seller.changed is not None:
        since = months_before(now, billing_scene.CHANGE) + timedelta(days=billing_scene.PRICES_CHANGE_ON - 1)
        await _publish(conn, actor, book.id, seller.changed, since, since)
    if seller.draft is not None:
        coming = NewVersion(month_after(day_of(now)), seller.draft)
        await price_books.add_version(conn, actor, book.id, coming, now)


async def _publish(conn: Connection, actor: Actor, book: UUID, prices: Prices, since: datetime, now: datetime) -> None:
    version = NewVersion(day_of(since), prices)
    number, _ = await price_books.add_version(conn, actor, book, version, now)
    await price_books.publish(conn, actor, book, number, now, correct=True)


async def _describe(conn: Connection, accounts: Mapping[int, scene.Customer], founded: datetime) -> None:
    operator = Actor.on_command_line(await operator_id(conn), Kind.OPERATOR)
    await _keep(conn, operator, ProfileSubject.own(operator), billing_scene.OPERATOR, founded)
    for organisation, company in billing_scene.COMPANIES.items():
        # The actor is the organisation itself; its kind does not matter for its own profile.
        actor = Actor.on_command_line(organisation, Kind.DISTRIBUTOR)
        await _keep(conn, actor, ProfileSubject.own(actor), company, founded)
    partner = Actor.on_command_line(scene.TEST_PARTNER.id, Kind.PARTNER)
    for account_id, customer in accounts.items():
        if customer.name in billing_scene.CUSTOMERS:
            subject = profiles.of_account(partner, account_id)
            await _keep(conn, partner, subject, billing_scene.Company(customer.name, "Berlin"), founded)


async def _keep(
    conn: Connection, actor: Actor, subject: ProfileSubject, company: billing_scene.Company, founded: datetime
) -> None:
    await profiles.set_profile(conn, actor, subject, read_profile(company.profile), founded)


async def freeze_months(services: Services) -> None:
    """Freezes the months that were over when the data was loaded, each on its third day, unless that is done: a start
    that was interrupted is completed by the next one. All but the newest statements are paid, and one of those that are
    due is not."""
    database = services.database
    now = await database.run(queries.created_at, scene.DISTRIBUTOR.id) + timedelta(days=scene.FOUNDED)
    sellers = [await database.run(_actor, seller) for seller in billing_scene.SELLERS]
    if await database.run(queries.is_frozen, sellers[-1].organisation_id, day_of(months_before(now, 1))):
        return
    for count in range(billing_scene.MONTHS, 0, -1):
        first = day_of(months_before(now, count))
        frozen_at = months_before(now, count - 1) + timedelta(days=2, hours=2, minutes=23)
        for seller in sellers:
            await freeze(services, seller, first, min(frozen_at, now))
        if count == billing_scene.CHANGE:
            await database.transaction(corrected_month.correct_usage, now)
    for seller in sellers:
        await _pay(database, seller, day_of(months_before(now, 2)))
    await database.transaction(_adjust, await open_stores(services), sellers[1], now)


async def compute_nets(database: Database, now: datetime) -> None:
    """What is charged for the running month and the one before: jobs compute it later, and the pages show it now."""
    await billing.compute_last(database, now)
    await billing.compute_running(database, now)


async def _adjust(conn: Connection, stores: NumberStores, distributor: Actor, now: datetime) -> None:
    """Once, also where two starts come to it at the same time."""
    await queries.lock(conn)
    if await queries.has_adjusted(conn, distributor.organisation_id):
        return
    partner, newest = scene.TEST_PARTNER.id, day_of(months_before(now, 1))
    amount, reason = billing_scene.GOODWILL
    await create_adjustment(conn, distributor, partner, amount, None, reason, now)
    amount, reason = billing_scene.CREDIT
    statement_id = await frozen_id_of(conn, distributor.organisation_id, partner, newest)
    if statement_id is not None:
        await create_credit_note(conn, stores, distributor, statement_id, [LineAmount(1, amount)], reason, now)


async def _pay(database: Database, seller: Actor, overdue: date) -> None:
    unpaid = await database.run(queries.unpaid, seller.organisation_id, overdue, scene.TEST_PARTNER.id)
    for statement_id, number, due_on in unpaid:
        payment = Payment(due_on - timedelta(days=2), f"Transfer {number}")
        with suppress(Conflict):  # another start has marked it
            await database.run(pay, seller, statement_id, payment)

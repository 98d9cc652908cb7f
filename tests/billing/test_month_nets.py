"""The stored nets: computed as drafts are, whenever and how often, and again by the doctor."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from tests.billing.histories import amend, move, resize
from tests.billing.nets import compute
from tests.cast import TB, Cast
from tests.statements.months import Sellers
from tests.usage.steps import at, purge, record
from tonnage.access.actor import Actor
from tonnage.billing import actions, checks
from tonnage.billing.lists import fee_of
from tonnage.billing.month import Month
from tonnage.billing.month_net import MonthNet, PricedSeller
from tonnage.billing.month_net_queries import store
from tonnage.billing.queries import month_nets
from tonnage.db import Connection
from tonnage.db.snapshot import take_snapshot
from tonnage.partners import actions as partners
from tonnage.price_books.actions import create_book
from tonnage.price_books.assignment import Subject, SubjectKind
from tonnage.price_books.price_book import NewPriceBook
from tonnage.statements.actions import draft

pytestmark = pytest.mark.anyio

NOON = at("2026-03-15", "12:00:00")


@pytest.fixture
async def data(cast: Cast) -> Sellers:
    return await priced(cast)


async def priced(cast: Cast) -> Sellers:
    """Each seller has a book, 11 TB are stored from the 1st on."""
    cast.now = at("2026-03-01")
    await cast.region()
    distributor = await cast.distributor()
    contract = await cast.contract(distributor)
    partner = await cast.partner(distributor, contract, 10 * TB, overdraft=True)
    account = await cast.account(partner, 10 * TB, overdraft=True)
    found = Sellers(cast, distributor, contract, partner, account)
    for seller in (distributor, partner):
        await found.price(seller)
    await record(cast, (account, at("2026-03-01"), 11 * TB), now=NOON)
    cast.now = NOON
    return found


def buyers(data: Sellers) -> list[tuple[Actor, SubjectKind, Any]]:
    return [
        (data.cast.operator, SubjectKind.CONTRACT, data.contract),
        (data.distributor, SubjectKind.PARTNER, data.partner.organisation_id),
        (data.partner, SubjectKind.ACCOUNT, data.account),
    ]


async def stored(cast: Cast, buyer: UUID | int, month: date = date(2026, 3, 1)) -> Any:
    """The currency, the net, or why there is none, and its moment; None: no row."""

    async def read(conn: Connection) -> Any:
        cursor = await conn.execute(
            """
            select currency, coalesce(net::text, problem), computed_at from month_net where month = %s
                and coalesce(contract_id::text, partner_id::text, account_id::text) = %s
            """,
            [month, str(buyer)],
        )
        return await cursor.fetchone()

    return await cast.database.run(read)


async def compute_all(data: Sellers, now: datetime = NOON) -> None:
    for seller, _, buyer in buyers(data):
        await compute(data.cast, seller, buyer, now=now)


async def nothing(data: Sellers) -> None:
    pass


async def a_price_of_half_the_month(data: Sellers) -> None:
    await data.reprice(data.distributor, "0.33", "7", date(2026, 3, 10))
    await amend(data.cast, data.contract, "250.5", at("2026-03-10"))


async def another_allocation(data: Sellers) -> None:
    await resize(data.cast, data.distributor, data.partner, 12 * TB, at("2026-03-08"))


async def a_move(data: Sellers) -> None:
    """To a contract whose partners have prices of their own."""
    other = await data.cast.contract(data.distributor)
    book = await data.price(data.distributor, excess="5")
    await data.assign(data.distributor, SubjectKind.CONTRACT, other, book, date(2026, 3, 1))
    await move(data.cast, data.distributor, data.partner, other, at("2026-03-08"))


async def a_purge(data: Sellers) -> None:
    await purge(data.cast, data.partner, data.account, at("2026-03-09", "06:00:00"))


async def a_closure(data: Sellers) -> None:
    await a_purge(data)
    partner = data.partner.organisation_id
    await data.cast.database.run(partners.close_partner, data.distributor, partner, at("2026-03-10"))


async def no_excess(data: Sellers) -> None:
    await record(data.cast, (data.account, at("2026-03-01"), 7), now=NOON)


@pytest.mark.parametrize(
    "change",
    [nothing, a_price_of_half_the_month, another_allocation, a_move, a_purge, a_closure, no_excess],
)
async def test_a_net_is_that_of_the_draft(data: Sellers, change: Callable[[Sellers], Awaitable[None]]) -> None:
    await change(data)
    await compute_all(data)
    nets: list[Decimal] = []
    for seller, kind, buyer in buyers(data):
        shown = await data.cast.database.transaction(
            draft, seller.organisation_id, Subject(kind, buyer), date(2026, 3, 1), NOON
        )
        assert await stored(data.cast, buyer) == ("EUR", str(shown.totals.net.amount), NOON), kind
        nets.append(shown.totals.net.amount)
    assert len(set(nets[:2])) == 2  # the distributor does not charge what it pays


async def differing(conn: Connection) -> set[str]:
    return {one.subject for one in (await checks.nets(conn)).differences}


async def test_several_currencies_and_no_price_book(data: Sellers) -> None:
    """A net that there is no reason for any more is taken away."""
    cast, partner = data.cast, data.partner.organisation_id
    await compute_all(data)
    dollars = await data.price(data.distributor, "USD", excess="5")
    await cast.row(
        """
        insert into price_assignment (seller_id, partner_id, book_id, valid_from, assigned_at)
        values (%s, %s, %s, '2026-03-05', %s) returning id
        """,
        data.distributor.organisation_id,
        partner,
        dollars,
        NOON,
    )
    await compute_all(data)
    assert await stored(cast, partner) == (None, "several_currencies", NOON)
    await cast.row(
        "update price_book set is_default = false where seller_id = %s returning id", data.distributor.organisation_id
    )
    other = await data.another("Unsold")
    await compute(cast, data.distributor, other.organisation_id, now=NOON)
    assert await stored(cast, other.organisation_id) == (None, "no_price_book", NOON)


async def test_of_two_moments_the_later_stays(data: Sellers) -> None:
    cast, partner = data.cast, data.partner.organisation_id
    await compute_all(data)
    before = await stored(cast, partner)
    await data.reprice(data.distributor, "9", "9")
    await compute_all(data, NOON - timedelta(minutes=1))
    assert await stored(cast, partner) == before
    await compute_all(data, NOON)
    assert (await stored(cast, partner))[1] != before[1]


async def test_two_runs_at_once_leave_the_net_of_the_newest_prices(data: Sellers) -> None:
    """One has read the old prices when the other stores the net of the new ones."""
    cast, partner = data.cast, data.partner.organisation_id
    seller, month = (
        PricedSeller(0, data.distributor.organisation_id, SubjectKind.PARTNER),
        Month.of(NOON.date(), NOON.date()),
    )
    nets: list[list[MonthNet]] = []

    async def run(conn: Connection) -> None:
        await take_snapshot(conn, writes=True)
        nets.append(await month_nets(conn, seller, [partner], month))
        if len(nets) == 1:
            await data.reprice(data.distributor, "1", "5")
            await compute_all(data)
        await store(conn, seller, month.first, nets[-1], NOON)

    await cast.database.transaction(run)
    old, new = nets
    assert old != new
    assert await stored(cast, partner) == (*new[0].row[1:2], str(new[0].row[2]), NOON)


async def test_a_run_that_was_killed_is_done_again(data: Sellers) -> None:
    cast, partner = data.cast, data.partner.organisation_id
    killed = asyncio.create_task(compute_all(data))
    await asyncio.wait([killed], timeout=0.02)
    killed.cancel()
    await asyncio.wait([killed])
    await compute_all(data)
    assert (await stored(cast, partner))[2] == NOON


async def test_all_buyers_and_the_month_before(own_database: Cast) -> None:
    """On the 2nd: the running month has two days, the one before is whole, and older ones are gone."""
    data = await priced(own_database)
    cast, now = data.cast, at("2026-04-02", "00:47:00")
    await compute(cast, data.distributor, data.partner.organisation_id, now=NOON, month=at("2026-02-01"))
    await actions.compute_last(cast.database, now)
    await actions.compute_running(cast.database, now)
    for seller, kind, buyer in buyers(data):
        assert await stored(cast, buyer, date(2026, 2, 1)) is None
        for first in (date(2026, 3, 1), date(2026, 4, 1)):
            shown = await cast.database.transaction(draft, seller.organisation_id, Subject(kind, buyer), first, now)
            assert await stored(cast, buyer, first) == ("EUR", str(shown.totals.net.amount), now), (kind, first)


@pytest.mark.parametrize(
    "change", ["price of the contract", "published", "default", "assigned", "to the contract", "allocation"]
)
async def test_a_change_is_seen_within_minutes(data: Sellers, change: str) -> None:
    """By the run of each minute; what was changed long ago is left to the others."""
    cast, now = data.cast, at("2026-03-15", "18:00:00")
    await compute_all(data)
    cast.now, partner = now, data.partner.organisation_id
    changed: UUID | int = partner
    match change:
        case "price of the contract":
            await amend(cast, data.contract, "77", now)
            changed = data.contract
        case "published":
            await data.reprice(data.distributor, "5", "5")
        case "assigned" | "to the contract":
            book = await data.price(data.distributor, excess="5")
            kind, subject = (
                (SubjectKind.PARTNER, partner) if change == "assigned" else (SubjectKind.CONTRACT, data.contract)
            )
            await data.assign(data.distributor, kind, subject, book, date(2026, 3, 10))
        case "allocation":
            await resize(cast, data.distributor, data.partner, 5 * TB, now)
        case _:
            cast.now = NOON
            unsold = await cast.distributor()
            changed = (await cast.partner(unsold, await cast.contract(unsold))).organisation_id
            await cast.database.run(create_book, unsold, NewPriceBook("Default", "EUR", True), now)
    before = await stored(cast, changed)
    await actions.compute_changed(cast.database, now + timedelta(minutes=10))
    assert await stored(cast, changed) == before
    run = now + timedelta(minutes=4)
    await actions.compute_changed(cast.database, run)
    found = await stored(cast, changed)
    assert found[2] == run
    assert before is None or found[1] != before[1]
    await actions.compute_changed(cast.database, run + timedelta(seconds=30))
    assert await stored(cast, changed) == found  # it is known to have been seen


async def test_the_doctor_names_what_differs(own_database: Cast) -> None:
    """Unless something of what it is computed from may have been written since."""
    data = await priced(own_database)
    cast = data.cast

    async def tamper() -> set[str]:
        await compute_all(data)
        for _, _, buyer in buyers(data):
            await cast.row(
                """
                update month_net set net = net + 1
                where coalesce(contract_id::text, partner_id::text, account_id::text) = %s returning net
                """,
                str(buyer),
            )
        return await cast.database.run(differing)

    async def writes(conn: Connection) -> None:
        for _ in range(100):
            await conn.execute("select pg_current_xact_id()")

    assert await tamper() == set()
    await cast.database.run(writes)
    await compute_all(data)
    assert await cast.database.run(differing) == set()
    assert await tamper() == {f"{buyer} 2026-03" for _, _, buyer in buyers(data)}
    await resize(cast, data.distributor, data.partner, 5 * TB, NOON)
    assert await tamper() == {f"{data.account} 2026-03"}


async def test_who_did_not_exist_in_a_month_has_no_row_of_it(data: Sellers) -> None:
    """Closed just before the month began, and looked at just after."""
    cast, now = data.cast, at("2026-04-01", "00:01:00")
    cast.now = at("2026-03-31", "23:59:00")
    await purge(cast, data.partner, data.account, cast.now)
    partner = data.partner.organisation_id
    await cast.database.run(partners.close_partner, data.distributor, partner, cast.now)
    for seller, buyer in ((data.partner, data.account), (data.distributor, partner)):
        for month in (cast.now, now):
            await compute(cast, seller, buyer, now=now, month=month)
        assert (await stored(cast, buyer))[2] == now
        assert await stored(cast, buyer, date(2026, 4, 1)) is None


async def test_a_net_is_seen_by_those_who_see_the_statement(data: Sellers) -> None:
    cast = data.cast
    await compute_all(data)
    stranger = await cast.distributor()
    readers: dict[SubjectKind, list[Actor]] = {
        SubjectKind.CONTRACT: [cast.operator, data.distributor],
        SubjectKind.PARTNER: [data.distributor, data.partner],
        SubjectKind.ACCOUNT: [data.partner],
    }
    for _, kind, buyer in buyers(data):
        for who in (cast.operator, data.distributor, data.partner, stranger):
            found = await cast.database.run(fee_of, who.organisation_id, Subject(kind, buyer), NOON.date())
            assert bool(found.sums) == (who in readers[kind]), (kind, who.kind)

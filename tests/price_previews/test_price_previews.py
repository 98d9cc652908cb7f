"""What the running month would cost under a version of a price book: the rules, and the amounts."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.billing.nets import compute
from tests.cast import TB, Cast
from tests.statements.months import MARCH, Sellers, sellers
from tests.usage.steps import at, record
from tonnage.access.actor import Actor
from tonnage.billing.month import Month
from tonnage.billing.month_net import MonthNet, Problem
from tonnage.errors import NotFound
from tonnage.lists import FIRST_PAGE, ListState
from tonnage.money import Money
from tonnage.partners.actions import close_partner
from tonnage.price_books import actions as price_books
from tonnage.price_books.assignment import NewAssignment, Subject, SubjectKind
from tonnage.price_books.version import Band, Mode, NewVersion, Prices, Product, Tiers
from tonnage.price_previews.actions import PreviewPage, PreviewPart, preview_page, preview_part
from tonnage.price_previews.lists import PREVIEWS
from tonnage.price_previews.price_preview import NoPreview, RuledBuyer, preview_terms, previews_of, sums_of, within
from tonnage.statements.actions import draft
from tonnage.web.list_state import read_list_state

pytestmark = pytest.mark.anyio

NOON = at("2026-03-15", "12:00:00")
APRIL = date(2026, 4, 1)
BOOK = uuid4()

DEARER = Prices(reserved=Decimal("1.8"), excess=Decimal(2))


def eur(amount: str) -> Money:
    return Money(Decimal(amount), "EUR")


@dataclass
class Seller:
    """A seller, its book, and its only buyer: 10 TB for 0.9 cents, 2 cents for the excess, 11 TB stored."""

    data: Sellers
    actor: Actor
    kind: SubjectKind
    buyer: Any
    book: UUID

    async def part(self, version: int | NewVersion, *, whole: bool = False, **more: Any) -> PreviewPart:
        return await self.data.cast.database.transaction(
            preview_part, self.actor, self.book, version, NOON, None, 50, whole=whole, **more
        )

    async def page(self, version: int, state: ListState | None = None, **more: Any) -> PreviewPage:
        state = state or read_list_state(PREVIEWS, {})
        return await self.data.cast.database.transaction(
            preview_page, self.actor, self.book, version, state, NOON, whole=False, **more
        )

    async def net(self) -> Money:
        """Of the statement as it is now."""
        subject = Subject(self.kind, self.buyer)
        return (await self.data.cast.database.transaction(draft, None, subject, MARCH, NOON)).totals.net

    async def add(self, version: NewVersion) -> int:
        run = self.data.cast.database.run
        return (await run(price_books.add_version, self.actor, self.book, version, NOON))[0]

    async def publish(self, number: int) -> None:
        await self.data.cast.database.transaction(
            price_books.publish, self.actor, self.book, number, NOON, correct=True
        )


async def seller_of(cast: Cast, kind: SubjectKind) -> Seller:
    """Its book is assigned, since the operator of all tests has one default book at most."""
    data = await sellers(cast)
    cast.now = NOON
    actor, buyer = {
        SubjectKind.CONTRACT: (cast.operator, data.contract),
        SubjectKind.PARTNER: (data.distributor, data.partner.organisation_id),
        SubjectKind.ACCOUNT: (data.partner, data.account),
    }[kind]
    book = await data.price(actor, excess="2")
    found = Seller(data, actor, kind, buyer, book)
    await found.publish(await found.add(NewVersion(MARCH, replace(DEARER, reserved=Decimal("0.9")))))
    await data.assign(actor, kind, buyer, book, MARCH)
    return found


@pytest.fixture
async def seller(cast: Cast) -> Seller:
    return await seller_of(cast, SubjectKind.PARTNER)


def amounts(documents: Sequence[dict[str, Any]]) -> dict[str, tuple[Any, ...]]:
    return {one["buyer"]: (one.get("now"), one.get("preview"), one.get("difference")) for one in documents}


@pytest.mark.parametrize("kind", SubjectKind, ids=str)
@pytest.mark.parametrize("day", [1, 10, 15])
async def test_a_preview_is_what_the_statement_is_once_it_is_published(cast: Cast, kind: SubjectKind, day: int) -> None:
    seller = await seller_of(cast, kind)
    number = await seller.add(NewVersion(date(2026, 3, day), DEARER))
    before = await seller.net()
    part = await seller.part(number)
    (shown,) = part.previews
    assert shown.compared
    assert (shown.id, shown.compared.now) == (seller.buyer, before)
    assert part.documents[0]["from"] == f"2026-03-{day:02}"
    assert await seller.net() == before
    await seller.publish(number)
    assert shown.compared.then == await seller.net() > before


async def test_exact_amounts(seller: Seller) -> None:
    """15 of 31 days: 90.00 reserved is 43.55, and 20.00 of excess 9.68."""
    number = await seller.add(NewVersion(date(2026, 3, 10), DEARER))
    assert (await seller.part(number)).documents == [
        {
            "buyer": str(seller.buyer),
            "buyerName": "Pia",
            "level": "partner",
            "month": "2026-03",
            "from": "2026-03-10",
            "through": "2026-03-15",
            "currency": "EUR",
            "now": "53.23",
            "preview": "70.65",
            "difference": "17.42",
        }
    ]
    whole = (await seller.part(number, whole=True)).documents[0]
    assert (whole["from"], whole["preview"]) == ("2026-03-01", "96.78")


async def test_what_begins_later_is_shown_for_the_whole_month(seller: Seller) -> None:
    """In place of every version of the month, those of later days too."""
    await seller.publish(await seller.add(NewVersion(date(2026, 3, 10), Prices(reserved=Decimal(9)))))
    later = NewVersion(APRIL, DEARER)
    number = await seller.add(later)
    for version in (number, later, NewVersion(date(2026, 3, 16), DEARER)):
        (shown,) = (await seller.part(version)).documents
        assert (shown["from"], shown["preview"]) == ("2026-03-01", "96.78")
    await seller.publish(number)
    assert (await seller.part(number)).documents[0]["preview"] == "96.78"


def test_prices_by_quantity_within_a_month_are_shown_for_the_whole_month() -> None:
    tiers = Tiers(Product.RESERVED, Mode.GRADUATED, (Band(None, Decimal(1)),))
    month, tiered = Month.of(MARCH, NOON.date()), Prices(tiers=tiers)
    for prices, published in ((tiered, []), (DEARER, [(MARCH, tiered)])):
        terms = preview_terms(BOOK, "EUR", NewVersion(date(2026, 3, 10), prices), published, month, whole=False)
        assert (terms.is_whole, terms.begins_within, terms.since) == (True, False, MARCH)
    terms = preview_terms(BOOK, "EUR", NewVersion(MARCH, tiered), [], month, whole=False)
    assert (terms.is_whole, terms.begins_within) == (False, False)


async def test_only_buyers_that_the_book_rules_are_shown(cast: Cast, seller: Seller) -> None:
    data = seller.data
    named = {name: await data.another(name) for name in ("other book", "of contract", "later")}
    cast.now = NOON
    named["closed"] = await cast.partner(seller.actor, data.contract)
    ids = {name: partner.organisation_id for name, partner in named.items()}
    other = await data.price(seller.actor, excess="5")
    await data.assign(seller.actor, SubjectKind.CONTRACT, data.contract, seller.book, MARCH)
    await data.assign(seller.actor, SubjectKind.PARTNER, ids["other book"], other, date(2026, 3, 15))
    await data.assign(seller.actor, SubjectKind.PARTNER, ids["later"], other, date(2026, 3, 16))
    await cast.database.run(close_partner, seller.actor, ids["closed"], NOON)
    stranger = await seller_of(cast, SubjectKind.PARTNER)
    ruled = {seller.buyer, ids["of contract"], ids["later"]}
    assert {one.id for one in (await seller.part(1)).previews} == ruled
    assert {one.id for one in (await seller.page(1)).found.rows} == ruled
    assert [one.id for one in (await stranger.part(1)).previews] == [stranger.buyer]
    await data.assign(seller.actor, SubjectKind.PARTNER, seller.buyer, other, MARCH)
    new = NewAssignment(None, date(2026, 3, 15))
    await cast.database.transaction(
        price_books.assign, seller.actor, Subject(SubjectKind.PARTNER, ids["other book"]), new, NOON
    )
    assert {one.id for one in (await seller.part(1)).previews} == ruled - {seller.buyer} | {ids["other book"]}


async def test_what_is_anothers_is_not_found(cast: Cast, seller: Seller) -> None:
    stranger = await seller_of(cast, SubjectKind.PARTNER)
    missing = (
        replace(seller, actor=stranger.actor),
        replace(seller, actor=seller.data.partner),
        replace(seller, actor=cast.operator),
        replace(seller, book=uuid4()),
    )
    for one in missing:
        with pytest.raises(NotFound, match="no price book"):
            await one.part(1)
        with pytest.raises(NotFound, match="no price book"):
            await one.page(1)
    with pytest.raises(NotFound, match="no version 9"):
        await seller.part(9)
    with pytest.raises(NotFound, match="no version 9"):
        await seller.page(9)


async def test_another_currency_from_the_first_of_a_month(cast: Cast, seller: Seller) -> None:
    """Each book shows the buyers that pay by it today, in its own currency."""
    dollars = replace(seller, book=await seller.data.price(seller.actor, "USD", excess="5"))
    await seller.data.assign(seller.actor, seller.kind, seller.buyer, dollars.book, APRIL)
    new = NewVersion(APRIL, Prices(reserved=Decimal("1.8")))
    assert (await seller.part(new)).documents[0]["currency"] == "EUR"
    assert (await dollars.part(new)).documents == []
    await seller.data.assign(seller.actor, seller.kind, seller.buyer, dollars.book, MARCH)
    assert (await seller.part(new)).documents == []
    (shown,) = (await dollars.part(new)).documents
    assert (shown["currency"], shown["now"], shown["preview"]) == ("USD", "24.19", "87.10")
    page = await dollars.page(await dollars.add(new))
    assert page.sums.amounts.then == Money(Decimal("87.10"), "USD")


async def test_a_buyer_with_several_currencies_has_no_amounts(cast: Cast, seller: Seller) -> None:
    """Which no assignment of today leads to, but an older program's might have."""
    yen = await seller.data.price(seller.actor, "JPY", excess="5")
    for book, day in ((yen, "2026-03-01"), (seller.book, "2026-03-08")):
        await cast.row(
            "insert into price_assignment (seller_id, partner_id, book_id, valid_from, assigned_at)"
            " values (%s, %s, %s, %s, %s) returning id",
            *(seller.actor.organisation_id, seller.buyer, book, day, NOON),
        )
    page = await seller.page(1)
    assert [one.amounts for one in page.found.rows] == [Problem.SEVERAL_CURRENCIES]
    assert (page.sums.buyers, page.sums.without, page.sums.amounts.now) == (0, 1, eur("0.00"))
    (shown,) = (await seller.part(1)).documents
    assert shown["problem"] == "several_currencies"
    assert "now" not in shown


async def test_a_page_is_sorted_by_the_stored_nets_and_its_totals_are_of_all(cast: Cast, seller: Seller) -> None:
    data, partners = seller.data, [seller.buyer]
    for name, allocated in (("Ada", 4 * TB), ("Zoe", 20 * TB)):
        partners.append((await data.another(name, allocated)).organisation_id)
    cast.now = NOON
    for partner in partners[1:]:
        await data.assign(seller.actor, seller.kind, partner, seller.book, MARCH)
    await compute(cast, seller.actor, *partners, now=NOON)
    first = ListState(PREVIEWS, "", "", "now", True, 2, FIRST_PAGE)
    page = await seller.page(1, first)
    assert [one.buyer.name for one in page.found.rows] == ["Zoe", "Pia"]
    assert (page.found.total, page.is_in_full, page.sums.buyers) == (3, True, 3)
    every = (await seller.page(1, first.whole)).found.rows
    assert page.sums == sums_of(every, "EUR")
    by_name = ListState(PREVIEWS, "", "", "name", False, 2, FIRST_PAGE)
    assert [one.buyer.name for one in (await seller.page(1, by_name)).found.rows] == ["Ada", "Pia"]
    found = await seller.page(1, replace(by_name, search="zo"))
    assert ([one.buyer.name for one in found.found.rows], found.sums.buyers) == (["Zoe"], 1)
    page = await seller.page(1, first, most_in_sum=2)
    assert (page.is_in_full, page.sums) == (False, sums_of(page.found.rows, "EUR"))


async def test_a_contract_with_too_many_partners_is_left_to_the_command_line(cast: Cast) -> None:
    seller = await seller_of(cast, SubjectKind.CONTRACT)
    page = await seller.page(1, most_partners=0)
    assert [one.amounts for one in page.found.rows] == [NoPreview.TOO_MANY_PARTNERS]
    assert (page.sums.buyers, page.sums.without) == (0, 1)
    assert (await seller.part(1, most_partners=0)).documents[0]["problem"] == "too_many_partners"
    assert (await seller.part(1, most_partners=None)).documents[0]["now"] == f"{(await seller.net()).amount:f}"


def ruled(number: int, partners: int = 0) -> RuledBuyer:
    return RuledBuyer(number, number, f"Buyer {number}", "", partners)


def test_buyers_are_rated_while_their_partners_are_few() -> None:
    buyers = [ruled(1, 900), ruled(2, 1200), ruled(3, 100), ruled(4, 1), ruled(5)]
    assert [one.id for one in within(buyers, 1000)] == [1, 3, 5]
    assert within(buyers, None) == buyers


def test_totals_and_changes() -> None:
    now = [MonthNet(1, eur("0.00")), MonthNet(2, eur("10.00")), MonthNet(3, Problem.NO_PRICE_BOOK)]
    then = [MonthNet(1, eur("1.00")), MonthNet(2, eur("9.00")), MonthNet(3, Problem.NO_PRICE_BOOK)]
    found = previews_of([ruled(number) for number in range(1, 5)], now, then)
    assert [one.compared and one.compared.change for one in found] == [None, Decimal("-0.1"), None, None]
    assert [one.amounts for one in found[2:]] == [Problem.NO_PRICE_BOOK, NoPreview.TOO_MANY_PARTNERS]
    sums = sums_of(found, "EUR")
    assert (sums.amounts.now, sums.amounts.then, sums.buyers, sums.without) == (eur("10.00"), eur("10.00"), 2, 2)
    assert sums.amounts.change == 0


async def test_a_new_account_is_shown_at_once(cast: Cast) -> None:
    """Without a stored net, at the end of the list."""
    seller = await seller_of(cast, SubjectKind.ACCOUNT)
    await seller.data.assign(seller.actor, SubjectKind.PARTNER, seller.data.partner.organisation_id, seller.book, MARCH)
    await compute(cast, seller.actor, seller.buyer, now=NOON)
    account = await cast.account(seller.data.partner)
    await record(cast, (account, NOON, TB), now=NOON)
    found = (await seller.page(1)).found.rows
    assert [one.id for one in found] == [seller.buyer, account]
    assert found[1].compared

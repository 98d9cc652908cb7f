"""Caps of overdraft: what they allow in each unit, what is refused, and what changes their bytes."""

from decimal import Decimal
from typing import Any

import pytest

from tests.cast import TB, Cast, with_role
from tests.overdraft_caps.caps import EUR_100, FIRST, capped
from tests.unchanged import refused
from tests.usage.steps import at, record
from tonnage.access.actor import Role
from tonnage.accounts.account import AccountChange
from tonnage.accounts.change_actions import change_account
from tonnage.billing.line import SubjectId
from tonnage.error_codes import ConflictCode
from tonnage.errors import Conflict, EditConflict, Forbidden, Invalid, NotFound, PreconditionFailed
from tonnage.overdraft_caps import actions, queries
from tonnage.overdraft_caps.overdraft_cap import NewCap
from tonnage.overrides import actions as overrides
from tonnage.overrides.override import NewOverride
from tonnage.price_books.assignment import SubjectKind
from tonnage.price_books.version import Band, Mode, Product, Tiers

pytestmark = [pytest.mark.anyio, pytest.mark.oldest_postgresql]

GB = 10**9


async def test_percent_is_of_the_allocation_whatever_it_becomes(cast: Cast) -> None:
    """10 TB with 10 percent may store 11 TB."""
    data = await capped(cast)
    made = await data.cap(NewCap(percent=10))
    assert made is not None
    assert made.json == b'{"percent":10,"capacity":1000000000000}'
    assert await data.allows() == TB
    await data.cast.database.run(
        change_account, data.partner, data.partner.organisation_id, data.account,
        AccountChange(allocated_capacity=5 * TB), FIRST,
    )  # fmt: skip
    assert await data.allows() == TB // 2
    override = NewOverride(8 * TB, FIRST.date(), "Migration")
    whose = data.partner.organisation_id
    await cast.database.run(overrides.grant_to_account, data.partner, whose, data.account, override, FIRST)
    assert await data.allows() == 8 * TB // 10
    # Of pay-per-use there is nothing to take percent of.
    await cast.database.run(overrides.end_of_account, data.partner, whose, data.account, FIRST)
    change = AccountChange(allocated_capacity=0)
    await cast.database.run(change_account, data.partner, whose, data.account, change, FIRST)
    assert await data.allows() is None


async def test_a_cap_is_replaced_and_removed(cast: Cast) -> None:
    data = await capped(cast)
    assert await data.allows() is None
    await data.cap(NewCap(capacity=3 * TB))
    await data.cap(NewCap(percent=50))
    assert await data.allows() == 5 * TB
    assert await data.cap(None) is None
    assert await data.allows() is None
    await data.cap_partner(NewCap(capacity=0))
    assert await data.allows_partner() == 0
    await data.cap_partner(None)
    assert await data.allows_partner() is None


async def test_money_allows_what_it_pays_for_until_the_end_of_the_month(cast: Cast) -> None:
    """EUR 100 at 10 cents: 1,000 GB on the first day of 30; on the 16th, with EUR 60 spent, 800 GB."""
    data = await capped(cast)
    await data.price(data.partner)
    made = await data.cap(EUR_100)
    assert made is not None
    assert made.json == b'{"amount":"100.00","currency":"EUR","capacity":1000000000000}'
    # 1,200 GB beyond the allocation on 15 days cost 60.
    sixteenth = at("2026-04-16", "00:23:00")
    await record(cast, (data.account, at("2026-04-01"), 11_200 * GB), now=sixteenth)
    assert await actions.compute_all(cast.database, sixteenth) >= 1
    assert await data.allows() == 800 * GB
    assert await actions.compute_all(cast.database, sixteenth) == 0
    # The new month begins with the whole amount; it has 31 days.
    assert await actions.compute_all(cast.database, at("2026-05-01", "00:23:00")) >= 1
    assert await data.allows() == 1000 * GB


async def test_an_amount_is_written_with_the_places_of_its_currency(cast: Cast) -> None:
    data = await capped(cast)
    await data.price(data.partner)
    made = await data.cap(NewCap(amount=Decimal(100)))
    assert made is not None
    assert b'"amount":"100.00"' in made.json


async def test_what_is_spent_allows_nothing_more(cast: Cast) -> None:
    data = await capped(cast)
    await data.price(data.partner)
    await data.cap(EUR_100)
    await record(cast, (data.account, at("2026-04-01"), 13_000 * GB), now=at("2026-04-20"))
    await actions.compute_all(cast.database, at("2026-04-20", "00:23:00"))
    assert await data.allows() == 0


async def test_money_of_a_pay_per_use_account_is_a_monthly_budget(cast: Cast) -> None:
    data = await capped(cast, 0)
    await data.price(data.partner)
    await data.cap(EUR_100)
    assert await data.allows() == 1000 * GB


async def test_a_partner_is_capped_by_what_its_distributor_charges(cast: Cast) -> None:
    data = await capped(cast)
    await data.price(data.sellers.distributor)
    await data.price(data.partner, excess="99")
    await data.cap_partner(EUR_100)
    assert await data.allows_partner() == 1000 * GB
    await record(cast, (data.account, at("2026-04-01"), 21_200 * GB), now=at("2026-04-16"))
    await actions.compute_all(cast.database, at("2026-04-16", "00:23:00"))
    assert await data.allows_partner() == 800 * GB


async def test_the_dearest_price_of_the_days_to_come_counts(cast: Cast) -> None:
    """A budget that is computed at today's price would be exceeded when the price rises."""
    data = await capped(cast, 0)
    await data.price(data.partner)
    await data.sellers.reprice(data.partner, "0", "20", since=at("2026-04-20").date())
    await data.cap(EUR_100)
    assert await data.allows() == 500 * GB


async def test_of_bands_the_dearest_counts(cast: Cast) -> None:
    data = await capped(cast, 0)
    bands = Tiers(Product.PAY_PER_USE, Mode.GRADUATED, (Band(500, Decimal(10)), Band(None, Decimal(5))))
    await data.price(data.partner, tiers=bands)
    await data.cap(EUR_100)
    assert await data.allows() == 1000 * GB


async def test_without_a_price_the_last_cap_stays(cast: Cast) -> None:
    data = await capped(cast)
    await data.price(data.partner)
    await data.cap(EUR_100)
    await data.sellers.assign(data.partner, SubjectKind.ACCOUNT, data.account, None, at("2026-04-02").date())
    await actions.compute_all(cast.database, at("2026-04-16", "00:23:00"))
    assert await data.allows() == 1000 * GB
    async with refused(cast.database, Conflict, "no price today") as error:
        await data.cap(NewCap(amount=Decimal(50)), at("2026-04-16"))
    assert error.value.code is ConflictCode.NO_PRICE


@pytest.mark.parametrize("cap", [NewCap(percent=10), NewCap(capacity=TB), EUR_100])
async def test_without_overdraft_there_is_nothing_to_cap(cast: Cast, cap: NewCap) -> None:
    data = await capped(cast, overdraft=False)
    await data.price(data.partner)
    await data.price(data.sellers.distributor)
    for act in (data.cap, data.cap_partner):
        async with refused(cast.database, Conflict, "Allow overdraft first") as error:
            await act(cap)
        assert error.value.code is ConflictCode.NO_OVERDRAFT


async def test_what_is_wrong_is_refused(cast: Cast) -> None:
    data = await capped(cast)
    for act in (data.cap, data.cap_partner):
        async with refused(cast.database, Conflict, "no price today") as error:
            await act(EUR_100)
        assert error.value.code is ConflictCode.NO_PRICE
    await data.price(data.partner)
    async with refused(cast.database, Invalid, "at most 2 decimal places in EUR"):
        await data.cap(NewCap(amount=Decimal("1.001")))
    async with refused(cast.database, PreconditionFailed):
        await data.cap(NewCap(percent=10), revision=99)
    async with refused(cast.database, EditConflict):
        await data.cap(NewCap(percent=10), expected="20%")
    for actor in (with_role(data.partner, Role.VIEWER), data.sellers.distributor):
        async with refused(cast.database, Forbidden):
            await cast.database.run(actions.remove_of_account, actor, data.account)
        async with refused(cast.database, Forbidden):
            await cast.database.run(actions.set_of_account, actor, data.account, NewCap(percent=10), FIRST)
    stranger = await capped(cast)
    async with refused(cast.database, NotFound):
        await cast.database.run(actions.set_of_account, stranger.partner, data.account, EUR_100, FIRST)
    async with refused(cast.database, NotFound):
        whose, by = data.partner.organisation_id, stranger.sellers.distributor
        await cast.database.run(actions.set_of_partner, by, whose, EUR_100, FIRST)
    async with refused(cast.database, NotFound):
        await cast.database.run(actions.cap_of_account, stranger.partner, data.account)
    pay_per_use = await capped(cast, 0, of_partner=0)
    for act in (pay_per_use.cap, pay_per_use.cap_partner):
        async with refused(cast.database, Invalid, "pay-per-use has no allocation"):
            await act(NewCap(percent=10))


@pytest.mark.parametrize(
    ("cap", "said"),
    [
        ({}, "give one of percent, capacity and amount"),
        ({"percent": 10, "capacity": TB}, "give one of percent, capacity and amount"),
        ({"percent": 10, "amount": Decimal(1)}, "give one of percent, capacity and amount"),
        ({"percent": 0}, "must be 1 to 1000"),
        ({"percent": 1001}, "must be 1 to 1000"),
        ({"capacity": 2**63}, "must be 0 to 9223372036854775807 bytes"),
        ({"amount": Decimal(0)}, "must be more than 0"),
        ({"amount": Decimal(10) ** 12 + 1}, "at most 1000000000000"),
    ],
)
def test_a_cap_has_one_unit(cap: dict[str, Any], said: str) -> None:
    with pytest.raises(Invalid, match=said):
        NewCap(**cap)


async def test_a_money_cap_that_is_replaced_meanwhile_is_not_computed(cast: Cast) -> None:
    """The job has read the old one; the new one stays."""
    data = await capped(cast)
    await data.price(data.partner)
    await data.cap(EUR_100)
    caps = await cast.database.run(queries.in_money, SubjectKind.ACCOUNT, None, 1000)
    (old,) = [cap for cap in caps if cap.buyer_id == data.account]
    await data.cap(NewCap(amount=Decimal(50)))
    assert await cast.database.run(queries.update_accounts, [(old, TB)]) == []
    assert await data.allows() == 500 * GB


async def test_all_caps_in_money_are_computed_by_pages(cast: Cast) -> None:
    data = await capped(cast)
    await data.price(data.partner)
    cast.now = FIRST
    others = [await cast.account(data.partner, overdraft=True) for _ in range(3)]
    book = (await cast.row("select id from price_book where seller_id = %s", data.partner.organisation_id))[0]
    for account in others:
        await data.sellers.assign(data.partner, SubjectKind.ACCOUNT, account, book, FIRST.date())
        await cast.database.run(actions.set_of_account, data.partner, account, EUR_100, FIRST)
    found, after = list[SubjectId](), None
    while page := await cast.database.run(queries.in_money, SubjectKind.ACCOUNT, after, 2):
        found += [cap.buyer_id for cap in page if cap.seller_id == data.partner.organisation_id]
        after = page[-1].seller_id, page[-1].buyer_id
    assert found == sorted(others)

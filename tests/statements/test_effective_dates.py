"""Terms that apply from an earlier day: in an open month they count, in a frozen one the difference is adjusted."""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from tests.cast import TB, Cast
from tests.statements.months import Sellers, sellers
from tests.statements.test_corrections import adjustments
from tests.usage.steps import at
from tonnage.access.actor import Actor
from tonnage.billing.actions import compute_partner
from tonnage.contracts import actions as contracts
from tonnage.contracts.contract import Amendment
from tonnage.contracts.effective_date import EffectiveDate
from tonnage.db import Connection
from tonnage.error_codes import ConflictCode
from tonnage.errors import Conflict, Invalid, NotFound
from tonnage.month_end.freezing_actions import freeze_due
from tonnage.partners.actions import effective_moment, move_partner, update_partner
from tonnage.partners.partner import PartnerChange
from tonnage.price_books.assignment import Subject, SubjectKind
from tonnage.price_books.version import Product
from tonnage.statements.actions import draft

pytestmark = [pytest.mark.anyio, pytest.mark.oldest_postgresql]

MIDDLE = date(2026, 3, 16)
LARGER = PartnerChange(allocated_capacity=12 * TB)


@pytest.fixture
async def data(cast: Cast) -> Sellers:
    found = await sellers(cast)
    for seller in (cast.operator, found.distributor, found.partner):
        await found.describe(seller)
    await found.price(found.distributor)
    return found


async def resize(
    data: Sellers, change: PartnerChange, effective: EffectiveDate, partner: UUID | None = None, by: Actor | None = None
) -> None:
    whom, actor = partner or data.partner.organisation_id, by or data.distributor

    async def act(conn: Connection) -> None:
        moment = await effective_moment(conn, actor, whom, effective, data.cast.now)
        await update_partner(conn, actor, whom, change, moment)

    await data.cast.database.transaction(act)


async def move(data: Sellers, contract: UUID, effective: EffectiveDate) -> None:
    whom, actor = data.partner.organisation_id, data.distributor

    async def act(conn: Connection) -> None:
        moment = await effective_moment(conn, actor, whom, effective, data.cast.now, contract_id=contract)
        await move_partner(conn, actor, whom, contract, moment)

    await data.cast.database.transaction(act)


async def amend(data: Sellers, amendment: Amendment, effective: EffectiveDate) -> None:
    async def act(conn: Connection) -> None:
        operator = data.cast.operator
        moment = await contracts.effective_moment(conn, operator, data.contract, effective, data.cast.now)
        await contracts.amend_contract(conn, operator, data.contract, amendment, moment)

    await data.cast.database.transaction(act)


async def days(data: Sellers) -> list[Any]:
    async with data.cast.database.streams.connection() as conn:
        cursor = await conn.execute(
            "select day, usage from daily_usage where account_id = %s order by day", [data.account]
        )
        return await cursor.fetchall()


async def terms(data: Sellers) -> list[Any]:
    async with data.cast.database.streams.connection() as conn:
        cursor = await conn.execute(
            "select valid_from::date, allocated_capacity from partner_terms where partner_id = %s order by id",
            [data.partner.organisation_id],
        )
        return await cursor.fetchall()


async def test_a_resize_dated_into_a_frozen_month(data: Sellers) -> None:
    """12 TB instead of 10 from the 16th on: 16 days with 2 TB more reserved at 0.9 and without 1 TB of excess at 2, of
    31 days. Reserved 11,032.258 GB-months are 99.29 instead of 90.00, excess 483.871 are 9.68 instead of 20.00."""
    for seller in (data.cast.operator, data.distributor):
        await data.freeze(seller)
    before, used = await data.rows("md5(s::text)", data.distributor), await days(data)
    with pytest.raises(Conflict, match="are frozen") as refused:
        await resize(data, LARGER, EffectiveDate(MIDDLE))
    assert refused.value.code is ConflictCode.MONTH_FROZEN
    assert len(await terms(data)) == 1

    await resize(data, LARGER, EffectiveDate(MIDDLE, correct=True))
    await freeze_due(data.services, at("2026-04-28"))
    (made,) = await adjustments(data, data.distributor)
    assert made[1] == Decimal("99.29") + Decimal("9.68") - Decimal("110.00")
    (of_contract,) = [one for one in await adjustments(data, data.cast.operator) if one[0] == str(data.contract)]
    assert of_contract[1] == Decimal("483.87") - Decimal("1000.00")
    assert [row for row in await data.rows("md5(s::text)", data.distributor) if row in before] == before
    assert await days(data) == used
    await freeze_due(data.services, at("2026-04-29"))
    assert len(await adjustments(data, data.distributor)) == 1


async def test_a_past_day_of_a_month_that_is_not_frozen(data: Sellers) -> None:
    """Of the running one: 10 days with 10 TB, 10 with 12 TB, at 0.9 of a month of 30 days."""
    data.cast.now = at("2027-06-20")
    await resize(data, LARGER, EffectiveDate(date(2027, 6, 11)))
    assert await terms(data) == [(date(2026, 3, 1), 10 * TB), (date(2027, 6, 11), 12 * TB)]
    run, partner_id = data.cast.database.transaction, data.partner.organisation_id
    partner = Subject(SubjectKind.PARTNER, partner_id)
    found = await run(draft, data.distributor.organisation_id, partner, date(2027, 6, 1), data.cast.now)
    (reserved,) = [line.amount.amount for line in found.lines if line.product is Product.RESERVED]
    assert reserved == Decimal("30.00") + Decimal("36.00")
    await compute_partner(data.cast.database, data.distributor.organisation_id, partner_id, data.cast.now)
    stored = "select net from month_net where partner_id = %s and month = '2027-06-01'"
    assert await data.cast.row(stored, partner_id) == (found.totals.net.amount,)


async def test_a_move_dated_into_a_frozen_month(data: Sellers) -> None:
    data.cast.now = at("2026-03-01")
    other = await data.cast.contract(data.distributor)
    data.cast.now = at("2026-04-03")
    await data.freeze(data.distributor)
    with pytest.raises(Conflict, match="are frozen"):
        await move(data, other, EffectiveDate(MIDDLE))
    book = await data.price(data.distributor, excess="4")
    await data.assign(data.distributor, SubjectKind.CONTRACT, other, book, date(2026, 3, 1))
    await move(data, other, EffectiveDate(MIDDLE, correct=True))
    await freeze_due(data.services, at("2026-04-28"))
    (made,) = await adjustments(data, data.distributor)
    # 15 days at 0.9 and 2 under the first contract, 16 days without reserved and at 4 under the other.
    assert made[1] == Decimal("43.55") + Decimal("9.68") + Decimal("20.65") - Decimal("110.00")


async def test_a_move_to_a_contract_that_was_signed_later(data: Sellers) -> None:
    """Nobody would charge for the days before."""
    data.cast.now = at("2026-03-20")
    other = await data.cast.contract(data.distributor)
    data.cast.now = at("2026-04-03")
    with pytest.raises(Conflict, match="began on 2026-03-20") as refused:
        await move(data, other, EffectiveDate(MIDDLE, correct=True))
    assert refused.value.code is ConflictCode.TERMS_CHANGED
    await move(data, other, EffectiveDate(date(2026, 3, 20), correct=True))


async def test_a_contract_that_is_amended_from_an_earlier_day(data: Sellers) -> None:
    """The operator's price of excess, 100, was 50 from the 16th on: 483.87 + 258.06."""
    await data.freeze(data.cast.operator)
    lower = Amendment(price_cents=Decimal(50))
    with pytest.raises(Conflict, match="are frozen"):
        await amend(data, lower, EffectiveDate(MIDDLE))
    await amend(data, lower, EffectiveDate(MIDDLE, correct=True))
    await freeze_due(data.services, at("2026-04-28"))
    (made,) = [one for one in await adjustments(data, data.cast.operator) if one[0] == str(data.contract)]
    assert made[1] == Decimal("483.87") + Decimal("258.06") - Decimal("1000.00")


async def test_days_that_are_refused(data: Sellers) -> None:
    """The operator, which all tests share, may have frozen later months."""
    await data.freeze(data.distributor)
    with pytest.raises(Invalid, match="must be 2026-04-03 or earlier"):
        await resize(data, LARGER, EffectiveDate(date(2026, 4, 4)))
    with pytest.raises(Conflict, match="began on 2026-03-01") as refused:
        await resize(data, LARGER, EffectiveDate(date(2026, 2, 28), correct=True))
    assert refused.value.code is ConflictCode.TERMS_CHANGED
    await resize(data, LARGER, EffectiveDate(date(2026, 4, 1), correct=True))
    with pytest.raises(Conflict, match="began on 2026-04-01"):
        await resize(data, PartnerChange(allocated_capacity=13 * TB), EffectiveDate(MIDDLE, correct=True))
    assert len(await terms(data)) == 2
    stranger = await data.cast.distributor()
    with pytest.raises(NotFound):
        await resize(data, LARGER, EffectiveDate(date(2026, 4, 2)), by=stranger)


async def test_what_is_refused_today_is_refused_of_an_earlier_day(data: Sellers) -> None:
    data.cast.now = at("2026-03-01")
    tight = await data.cast.contract(data.distributor, 20 * TB)
    partner = await data.cast.partner(data.distributor, tight, 10 * TB)
    data.cast.now = at("2027-06-20")
    larger = PartnerChange(allocated_capacity=21 * TB)
    with pytest.raises(Conflict) as refused:
        await resize(data, larger, EffectiveDate(date(2027, 6, 11)), partner.organisation_id)
    assert refused.value.code is ConflictCode.CONTRACT_FULL

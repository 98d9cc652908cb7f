"""What use beyond the allocation costs buyers, by their prices and by what they were charged in the month so far."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from uuid import UUID

from tonnage.billing.charges import BuyerMonths
from tonnage.billing.line import SubjectId
from tonnage.billing.month import BuyerMonth, Month, SubjectMonth, days_in, overlaps
from tonnage.billing.queries import account_months, partner_months
from tonnage.billing.rating import rate
from tonnage.db import Connection
from tonnage.money import total
from tonnage.overdraft_caps.rate import Rate
from tonnage.price_books.version import Prices, Product

_BEYOND = (Product.EXCESS, Product.PAY_PER_USE)


async def read_rates(
    conn: Connection, seller_id: UUID, buyer_ids: Sequence[SubjectId], today: date
) -> dict[SubjectId, Rate]:
    """The rates of partners or of storage accounts of a seller. Those are missing that pay nothing, or in several
    currencies."""
    month = Month(today.replace(day=1), days_in(today))  # the prices of the days to come are known
    number = month.number(today)
    found: dict[SubjectId, Rate] = {}
    for buyer, subject in (await _months(conn, seller_id, buyer_ids, month)).priced:
        if price := _highest_price(buyer, subject, number):
            found[buyer.id] = Rate(buyer.currency, price, _charged(buyer, subject, number))
    return found


def _charged(buyer: BuyerMonth, subject: SubjectMonth, today: int) -> Decimal:
    """What use beyond the allocation has cost on the days before today."""
    before = replace(subject, usage=[*subject.usage[:today], *[0] * (buyer.month.days - today)])
    beyond = [line.amount for line in rate(buyer, [before]) if line.product in _BEYOND]
    return total(beyond, buyer.currency).amount


async def _months(conn: Connection, seller_id: UUID, buyer_ids: Sequence[SubjectId], month: Month) -> BuyerMonths:
    partners = [one for one in buyer_ids if isinstance(one, UUID)]
    if partners:
        return await partner_months(conn, seller_id, partners, month)
    return await account_months(conn, seller_id, [one for one in buyer_ids if isinstance(one, int)], month)


def _highest_price(buyer: BuyerMonth, subject: SubjectMonth, today: int) -> Decimal | None:
    """Of what is beyond today's allocation, from today to the end of the month. None: nothing is charged for it."""
    present = next(overlaps(subject.capacities, today, today + 1), None)
    if present is None:
        return None
    product = Product.EXCESS if present.value.bytes else Product.PAY_PER_USE
    among = overlaps(buyer.prices.get(present.value.contract_id, ()), today, buyer.month.days)
    return max((_price(span.value, product) for span in among if span.value), default=Decimal(0)) or None


def _price(prices: Prices, product: Product) -> Decimal:
    """Of bands that of the dearest: a month's end is not known."""
    if tiers := prices.tiers_on(product):
        return max(band.price for band in tiers.bands)
    return prices.price_of(product) or Decimal(0)

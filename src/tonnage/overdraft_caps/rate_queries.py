"""What use beyond the allocation costs buyers, by their prices and by what they were charged in the month so far."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

from tonnage.billing.charges import BuyerMonths
from tonnage.billing.line import SubjectId
from tonnage.billing.month import BuyerMonth, Month, SubjectMonth, overlaps
from tonnage.billing.queries import account_months, partner_months
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
    month = Month.of(today, today)
    yesterday = today - timedelta(days=1)
    charged: dict[SubjectId, Decimal] = {}
    if month.through > 1:
        for charges in (await _months(conn, seller_id, buyer_ids, Month.of(today, yesterday))).charges():
            beyond = [line.amount for line in charges.lines if line.product in _BEYOND]
            charged[charges.buyer.id] = total(beyond, charges.buyer.currency).amount
    # Prices of the days to come are known; of use only what today's allocation is, is read here.
    whole = Month(month.first, month.days)
    found: dict[SubjectId, Rate] = {}
    for buyer, subject in (await _months(conn, seller_id, buyer_ids, whole)).priced:
        if price := _highest_price(buyer, subject, month.through - 1):
            found[buyer.id] = Rate(buyer.currency, price, charged.get(buyer.id, Decimal(0)))
    return found


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

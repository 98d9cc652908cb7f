"""Prices as people say them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from tonnage.access.actor import Kind
from tonnage.billing.month import GB
from tonnage.console.page_request import PageRequest
from tonnage.console.rendering import gettext, ngettext
from tonnage.money import Money
from tonnage.price_books.price_sources import AppliedPrices
from tonnage.price_books.version import MinimumPool, Mode, Prices, Product, Tiers

Fact = tuple[str, str]
"""A label and a text."""


@dataclass(frozen=True)
class ShownPrices:
    """Prices from a day on."""

    since: date | None
    """None: since ever."""
    facts: list[Fact]
    """None: nothing is charged."""


def shown(page: PageRequest, applied: AppliedPrices, currency: str | None = None) -> ShownPrices:
    """`currency`: where there are prices without a book."""
    code = applied.book.currency if applied.book else currency
    since = None if applied.since == date.min else applied.since
    return ShownPrices(since, price_facts(page, applied.prices, code) if applied.prices and code else [])


def price_facts(page: PageRequest, prices: Prices, currency: str) -> list[Fact]:
    """All that a version charges for."""
    return [*_plain(page, prices, currency), *_of_tiers(page, prices.tiers, currency), *_rest(page, prices, currency)]


def in_short(page: PageRequest, prices: Prices, currency: str) -> str:
    """What is charged for capacity, in a line; empty: nothing."""
    return ", ".join(
        f"{label} {text}"
        for label, text in [*_plain(page, prices, currency), *_of_tiers(page, prices.tiers, currency)[1:]]
    )


def product_label(product: Product) -> str:
    """As the pages call it."""
    return {
        Product.RESERVED: gettext("Reserved"),
        Product.EXCESS: gettext("Excess"),
        Product.PAY_PER_USE: gettext("Pay-per-use"),
        Product.EGRESS: gettext("Egress"),
    }[product]


def pool_label(pool: MinimumPool) -> str:
    """Whose use is compared with a minimum."""
    return {
        MinimumPool.ACCOUNT: gettext("each storage account"),
        MinimumPool.PARTNER: gettext("each partner"),
        MinimumPool.CONTRACT: gettext("the whole contract"),
    }[pool]


def _plain(page: PageRequest, prices: Prices, currency: str) -> Iterator[Fact]:
    of_products = (
        (Product.RESERVED, prices.reserved),
        (Product.EXCESS, prices.excess),
        (Product.PAY_PER_USE, prices.pay_per_use),
    )
    for product, price in of_products:
        if price is not None and prices.tiers_on(product) is None:
            yield product_label(product), page.formats.unit_price(price, currency)


def _of_tiers(page: PageRequest, tiers: Tiers | None, currency: str) -> list[Fact]:
    if tiers is None:
        return []
    mode = (
        gettext("each part of the quantity at the price of its band")
        if tiers.mode is Mode.GRADUATED
        else gettext("the whole quantity at the price of the band that it reaches")
    )
    facts = [(gettext("Prices by quantity"), mode)]
    end: int | None = None
    for band in tiers.bands:
        if band.up_to_gb is not None:
            text = gettext("%(product)s up to %(size)s")
            size = page.formats.size(band.up_to_gb * GB)
        else:
            text = gettext("%(product)s above %(size)s")
            size = page.formats.size((end or 0) * GB)
        label = text % {"product": product_label(tiers.product), "size": size}
        facts.append((label, page.formats.unit_price(band.price, currency)))
        end = band.up_to_gb
    return facts


def _rest(page: PageRequest, prices: Prices, currency: str) -> Iterator[Fact]:
    formats, least = page.formats, prices.pay_per_use_minimum
    if least is not None:
        text = gettext("%(size)s of %(pool)s") % {"size": formats.size(least.gb * GB), "pool": pool_label(least.pool)}
        yield gettext("Minimum of pay-per-use"), text
    if prices.minimum_charge is not None:
        amount = formats.exact_money(Money(prices.minimum_charge.scaleb(-2), currency))
        yield gettext("Minimum charge"), gettext("%(amount)s a month") % {"amount": amount}
    if least is not None or prices.minimum_charge is not None:
        yield (
            gettext("Minimums in a month of part"),
            gettext("in proportion to the active days") if prices.prorate_minimums else gettext("whole"),
        )
    if prices.egress_per_gb is not None:
        gb, tb = formats.per_gb_and_tb(prices.egress_per_gb, currency)
        yield product_label(Product.EGRESS), gettext("%(gb)s / GB (%(tb)s / TB)") % {"gb": gb, "tb": tb}
    if prices.discount_percent is not None:
        yield gettext("Discount"), formats.percent(prices.discount_percent / 100)


def buyers_counted(page: PageRequest, count: int) -> str:
    """A number of the reader's buyers: `3 partners`."""
    match page.actor.kind:
        case Kind.OPERATOR:
            text = ngettext("%(num)s contract", "%(num)s contracts", count)
        case Kind.DISTRIBUTOR:
            text = ngettext("%(num)s partner", "%(num)s partners", count)
        case Kind.PARTNER:
            text = ngettext("%(num)s storage account", "%(num)s storage accounts", count)
    return text % {"num": page.formats.number(count)}

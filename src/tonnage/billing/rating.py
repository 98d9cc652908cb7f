"""Rating: use x terms x prices = lines. A pure function, for drafts, statements, and their working alike.

The order of the lines: use, the minimum of pay-per-use, the discount, the minimum charge. Prices of a day are those of
the version that applies to it, terms those at its end. Discount and minimums are those of the buyer's last active day:
the last one at whose end it was open.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple, TypeAlias
from uuid import UUID

from tonnage.billing.line import Extra, Line, SubjectId, amount_of
from tonnage.billing.month import GB, BuyerMonth, Capacity, Lifetime, Month, Span, SubjectMonth, overlaps
from tonnage.money import Money, digits, round_half_away, total
from tonnage.price_books.version import MinimumPool, Mode, PayPerUseMinimum, Prices, Product, Tiers

_Key: TypeAlias = tuple[Product, UUID | None, Decimal]
_Bands: TypeAlias = tuple[Product, UUID | None, Tiers]


@dataclass(slots=True)
class _Quantity:
    """Byte-days, and the first and last day with their price."""

    byte_days: int
    first: int
    last: int

    def add(self, byte_days: int, first: int, until: int) -> None:
        self.byte_days += byte_days
        self.first, self.last = min(self.first, first), max(self.last, until - 1)


@dataclass(slots=True)
class PoolUse:
    """Pay-per-use of a pool."""

    byte_days: int = 0
    days: set[int] = field(default_factory=set[int])
    """The days at whose end something of it was open and pay-per-use."""


@dataclass(slots=True)
class _Totals:
    """What is only charged for the buyer as a whole."""

    bands: dict[_Bands, _Quantity] = field(default_factory=dict[_Bands, _Quantity])
    pools: dict[SubjectId, PoolUse] = field(default_factory=dict[SubjectId, PoolUse])


class ReachedBand(NamedTuple):
    """What a quantity has of a band."""

    byte_days: int
    price: Decimal
    above_gb: int
    """GB-months at which it begins; and, below, ends. None: without end."""
    up_to_gb: int | None


class Rating:
    """Adds up a buyer's month, one subject after the other."""

    def __init__(self, buyer: BuyerMonth) -> None:
        self._buyer = buyer
        self._rules = last_prices(buyer)
        self._totals = _Totals()
        self._lines = _reserved(buyer, self._totals)

    def add(self, subject: SubjectMonth) -> None:
        """Charges the use of a subject."""
        self._lines += _use(self._buyer, subject, self._totals)
        if self._rules and (minimum := self._rules.pay_per_use_minimum):
            _add_to_pools(self._buyer, subject, minimum.pool, self._totals)

    def lines(self) -> list[Line]:
        """The lines, after all subjects were added."""
        buyer, rules = self._buyer, self._rules
        lines = [*self._lines, *_banded(buyer, self._totals)]
        if rules is None:
            return lines
        if minimum := rules.pay_per_use_minimum:
            lines += _missing(buyer, rules, minimum, self._totals)
        if rules.discount_percent:
            lines += _extra(buyer, Extra.DISCOUNT, Fraction(-rules.discount_percent) / 100 * _sum(lines, buyer))
        if rules.minimum_charge:
            missing = least_charge(buyer, rules) - _sum(lines, buyer)
            lines += _extra(buyer, Extra.MINIMUM_CHARGE, max(Fraction(0), missing))
        return lines


def rate(buyer: BuyerMonth, subjects: Iterable[SubjectMonth]) -> list[Line]:
    """The lines of a buyer's month."""
    rating = Rating(buyer)
    for subject in subjects:
        rating.add(subject)
    return rating.lines()


def active_days(buyer: BuyerMonth) -> int:
    """The number of days at whose end it was open."""
    return sum(span.until - span.first for span in buyer.capacities)


def least_charge(buyer: BuyerMonth, rules: Prices) -> Fraction:
    """The minimum charge of its month, in the major unit; 0: there is none."""
    share = Fraction(active_days(buyer), buyer.month.days) if rules.prorate_minimums else 1
    return Fraction(rules.minimum_charge or 0) / 100 * share


def last_prices(buyer: BuyerMonth) -> Prices | None:
    """The prices of its last active day, which decide on discount and minimums; None: it has none on it."""
    if not buyer.capacities:
        return None
    last = buyer.capacities[-1]
    for span in overlaps(buyer.prices.get(last.value.contract_id, ()), last.until - 1, last.until):
        return span.value
    return None


def _reserved(buyer: BuyerMonth, totals: _Totals) -> list[Line]:
    found: dict[_Key, _Quantity] = {}
    for span in buyer.capacities:
        if not span.value.bytes:
            continue
        contract = span.value.contract_id
        for part in overlaps(buyer.prices.get(contract, ()), span.first, span.until):
            if part.value is not None:
                byte_days = span.value.bytes * (part.until - part.first)
                _charge(part.value, Product.RESERVED, contract, byte_days, part, found, totals)
    return _lines(buyer, buyer.id, found)


def _use(buyer: BuyerMonth, subject: SubjectMonth, totals: _Totals) -> list[Line]:
    found: dict[_Key, _Quantity] = {}
    for span in subject.capacities:
        capacity, contract = span.value.bytes, span.value.contract_id
        product = Product.EXCESS if capacity else Product.PAY_PER_USE
        for part in overlaps(buyer.prices.get(contract, ()), span.first, span.until):
            if part.value is None:
                continue
            days = subject.usage[part.first : part.until]
            beyond = sum([used - capacity for used in days if used > capacity])
            _charge(part.value, product, contract, beyond, part, found, totals)
            sent = sum(subject.egress[part.first : part.until])
            _charge(part.value, Product.EGRESS, contract, sent, part, found, totals)
    return _lines(buyer, subject.id, found)


def _charge(
    prices: Prices,
    product: Product,
    contract: UUID | None,
    byte_days: int,
    part: Span[Prices | None],
    found: dict[_Key, _Quantity],
    totals: _Totals,
) -> None:
    if tiers := prices.tiers_on(product):
        quantity = totals.bands.setdefault((product, contract, tiers), _Quantity(0, part.first, part.until - 1))
    elif (price := prices.price_of(product)) is not None:
        quantity = found.setdefault((product, contract, price), _Quantity(0, part.first, part.until - 1))
    else:
        return
    quantity.add(byte_days, part.first, part.until)


def _lines(buyer: BuyerMonth, subject: SubjectId, found: dict[_Key, _Quantity]) -> list[Line]:
    return [
        _line(buyer, product, subject, contract, price, quantity)
        for (product, contract, price), quantity in found.items()
        if quantity.byte_days
    ]


def _line(
    buyer: BuyerMonth,
    product: Product | Extra,
    subject: SubjectId,
    contract: UUID | None,
    price: Decimal,
    quantity: _Quantity,
) -> Line:
    month = buyer.month
    unit = GB if product is Product.EGRESS else GB * month.days
    return Line(
        product,
        subject,
        contract,
        month.day(quantity.first),
        month.day(quantity.last),
        amount_of(Fraction(quantity.byte_days, unit), price, buyer.currency),
        quantity.byte_days,
        price,
    )


def _banded(buyer: BuyerMonth, totals: _Totals) -> list[Line]:
    """A line for each band that is reached: the buyer's whole under one contract."""
    lines: list[Line] = []
    for (product, contract, tiers), whole in totals.bands.items():
        for one in in_bands(tiers, whole.byte_days, buyer.month):
            band = _Quantity(one.byte_days, whole.first, whole.last)
            lines.append(_line(buyer, product, buyer.id, contract, one.price, band))
    return lines


def in_bands(tiers: Tiers, byte_days: int, month: Month) -> list[ReachedBand]:
    """The bands that have a part of a month's byte-days. A bound belongs to the band that ends with it."""
    parts: list[ReachedBand] = []
    begin, above_gb = 0, 0
    for band in tiers.bands:
        end = byte_days if band.up_to_gb is None else band.up_to_gb * GB * month.days
        if begin < byte_days:
            parts.append(ReachedBand(min(byte_days, end) - begin, band.price, above_gb, band.up_to_gb))
        begin, above_gb = end, band.up_to_gb or 0
    if tiers.mode is Mode.VOLUME and parts:
        return [parts[-1]._replace(byte_days=byte_days)]
    return parts


def pool_use(
    buyer: BuyerMonth, subjects: Iterable[SubjectMonth], minimum: PayPerUseMinimum, pool: SubjectId
) -> PoolUse:
    """What a pool has used, as it is compared with the minimum. `subjects`: at least those that it is of."""
    totals = _Totals()
    for subject in subjects:
        _add_to_pools(buyer, subject, minimum.pool, totals)
    return totals.pools.get(pool) or PoolUse()


def _add_to_pools(buyer: BuyerMonth, subject: SubjectMonth, pool: MinimumPool, totals: _Totals) -> None:
    """Adds up pay-per-use by account, by partner, or for all of the contract."""
    closed = _end(subject.lifetime, buyer.month)
    for span in subject.capacities:
        if span.value.bytes or span.value.contract_id not in buyer.prices:
            continue
        if pool is MinimumPool.ACCOUNT and subject.accounts:
            for account in subject.accounts:
                opened, end = account.lifetime.opened, min(closed, _end(account.lifetime, buyer.month))
                _pool(totals, account.id, account.usage, span, max(span.first, opened), end)
        else:
            subject_id = buyer.id if pool is MinimumPool.CONTRACT else subject.id
            _pool(totals, subject_id, subject.usage, span, span.first, closed)


def _pool(
    totals: _Totals, subject: SubjectId, usage: Sequence[int], span: Span[Capacity], opened: int, closed: int
) -> None:
    use = totals.pools.setdefault(subject, PoolUse())
    use.byte_days += sum(usage[span.first : span.until])
    use.days.update(range(opened, min(span.until, closed)))


def _end(lifetime: Lifetime, month: Month) -> int:
    return month.through if lifetime.closed is None else lifetime.closed


def counted_days(use: PoolUse, rules: Prices, month: Month) -> int:
    """The days for which the minimum of a pool counts."""
    return len(use.days) if rules.prorate_minimums else month.days


def _missing(buyer: BuyerMonth, rules: Prices, minimum: PayPerUseMinimum, totals: _Totals) -> list[Line]:
    """What pools use less than the minimum, at the price of pay-per-use; of bands, that which the minimum reaches."""
    month, last = buyer.month, buyer.capacities[-1]
    if tiers := rules.tiers_on(Product.PAY_PER_USE):
        price = in_bands(tiers, max(1, minimum.gb * GB * month.days), month)[-1].price
    elif (found := rules.price_of(Product.PAY_PER_USE)) is not None:
        price = found
    else:
        return []
    lines: list[Line] = []
    for subject, use in totals.pools.items():
        missing = minimum.gb * GB * counted_days(use, rules, month) - use.byte_days
        if use.days and missing > 0:
            quantity = _Quantity(missing, min(use.days), max(use.days))
            contract = last.value.contract_id
            lines.append(_line(buyer, Extra.CAPACITY_MINIMUM, subject, contract, price, quantity))
    return lines


def _extra(buyer: BuyerMonth, product: Extra, amount: Fraction) -> list[Line]:
    rounded = Money(round_half_away(amount, digits(buyer.currency)), buyer.currency)
    first, last = buyer.capacities[0], buyer.capacities[-1]
    month = buyer.month
    line = Line(product, buyer.id, last.value.contract_id, month.day(first.first), month.day(last.until - 1), rounded)
    return [line] if rounded else []


def _sum(lines: Iterable[Line], buyer: BuyerMonth) -> Fraction:
    return Fraction(total((line.amount for line in lines), buyer.currency).amount)

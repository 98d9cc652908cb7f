"""What buyers are charged for a month, each in one amount, as lists and tiles show it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from tonnage.access.actor import Kind
from tonnage.billing.charges import BuyerMonths, Charges
from tonnage.billing.line import SubjectId
from tonnage.money import Money, total
from tonnage.price_books.assignment import SubjectKind

BUYERS: Mapping[Kind, SubjectKind] = {
    Kind.OPERATOR: SubjectKind.CONTRACT,
    Kind.DISTRIBUTOR: SubjectKind.PARTNER,
    Kind.PARTNER: SubjectKind.ACCOUNT,
}
"""What pays to a seller of that kind."""


class PricedSeller(NamedTuple):
    """An organisation that has prices, and what pays to it."""

    seq: int
    id: UUID
    buyers: SubjectKind


@dataclass(frozen=True)
class BuyerFilter:
    """Of which buyers of a seller the nets are computed."""

    before: datetime | None = None
    """Of those whose net is not of that moment or a later one; None: of all."""
    ids: Sequence[SubjectId] | None = None
    """Of these; None: of all."""


class ChangedPrices(NamedTuple):
    """A seller whose prices for many buyers were changed."""

    seller: PricedSeller
    changed_at: datetime


class ChangedBuyer(NamedTuple):
    """A buyer whose own terms or prices were changed."""

    seller: PricedSeller
    id: SubjectId


class Problem(StrEnum):
    """Why a buyer's month has no net."""

    NO_PRICE_BOOK = "no_price_book"
    """Nothing is sold to it."""
    SEVERAL_CURRENCIES = "several_currencies"


class MonthNet(NamedTuple):
    """The sum of the lines of a buyer's use, without adjustments; or why there is none."""

    buyer_id: SubjectId
    net: Money | Problem

    @property
    def row(self) -> tuple[SubjectId, str | None, Decimal | None, Problem | None]:
        """As it is stored: buyer, currency, net, problem."""
        if isinstance(self.net, Problem):
            return self.buyer_id, None, None, self.net
        return self.buyer_id, self.net.currency, self.net.amount, None


def net_of(charges: Charges) -> MonthNet:
    """The sum of the lines."""
    buyer = charges.buyer
    return MonthNet(buyer.id, total((line.amount for line in charges.lines), buyer.currency))


def nets_of(ids: Sequence[SubjectId], months: BuyerMonths) -> list[MonthNet]:
    """Of these buyers, in their order."""
    found: dict[SubjectId, MonthNet] = {one.buyer_id: one for one in map(net_of, months.charges())}
    found |= {one.buyer_id: MonthNet(one.buyer_id, Problem.SEVERAL_CURRENCIES) for one in months.conflicts}
    return [found.get(one, MonthNet(one, Problem.NO_PRICE_BOOK)) for one in ids]


@dataclass(frozen=True)
class Fees:
    """The stored nets of some buyers."""

    sums: Sequence[Money] = ()
    """One for each currency, in order of their codes; none: nothing is sold to any of them."""
    closed: Sequence[Money] = ()
    """Of these sums, what buyers are charged that were closed in the month, and are in no list any more."""
    unknown: int = 0
    """Buyers whose prices are in several currencies, so that there is no sum."""
    computed_at: datetime | None = None
    """The oldest moment of the nets."""
    before: Sequence[Money] = ()
    """The sums of the month before, as far as its nets are stored."""

    def less(self, cost: "Fees") -> Sequence[Money]:
        """The margins over what was bought; none where some fees are not known."""
        return () if self.unknown or cost.unknown else margins(self.sums, cost.sums)


def margins(sold: Sequence[Money], bought: Sequence[Money]) -> list[Money]:
    """Sold less bought in each currency in which both are, in the order of what was sold. Each has a currency once."""
    costs = {cost.currency: cost for cost in bought}
    return [gain - costs[gain.currency] for gain in sold if gain.currency in costs]

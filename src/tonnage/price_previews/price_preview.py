"""What buyers would be charged for the running month if a version of a price book applied, beside what they are.

Neither amount has adjustments: those are of statements, and no price changes them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

from tonnage.billing.line import SubjectId
from tonnage.billing.month import Month
from tonnage.billing.month_net import MonthNet, Problem
from tonnage.money import Money, total
from tonnage.price_books.assignment import SubjectKind
from tonnage.price_books.price_sources import AssumedVersion
from tonnage.price_books.version import NewVersion, Versions, refused_tiers

MOST_PARTNERS = 2000
"""Partners under contracts that a page rates: a contract is rated with all of them, a millisecond or two for each."""

MOST_IN_SUM = 500
"""Buyers of a list that are all rated for its totals. A longer list has the totals of each page."""


class NoPreview(StrEnum):
    """Why there are no amounts of a buyer, besides the problems of its month."""

    TOO_MANY_PARTNERS = "too_many_partners"
    """Under the contract, for a page: the command line computes it."""


@dataclass(frozen=True)
class PreviewTerms:
    """Which prices are compared with those that apply, and on which days of the running month."""

    month: Month
    currency: str
    version: AssumedVersion
    begins_within: bool
    """Whether publishing it now would change a part of the month, so that there are two previews."""

    @property
    def since(self) -> date:
        """The first day of the month that has other prices."""
        return max(self.version.since, self.month.first)

    @property
    def is_whole(self) -> bool:
        """Whether every day of the month so far has these prices; else only those that publishing it now changes."""
        return self.version.is_alone


def preview_terms(
    book_id: UUID,
    currency: str,
    version: NewVersion,
    published: Versions,
    month: Month,
    *,
    whole: bool,
    is_published: bool = False,
) -> PreviewTerms:
    """A version that has begun changes what publishing it now would change. If it begins later, that is nothing so far:
    then, or if the `whole` month is asked for, every day has its prices. Likewise if it is published already, or if
    publishing it would be refused, since prices by quantity would begin or end within the month.
    """
    begins = not is_published and version.valid_from <= month.last and refused_tiers(version, published) is None
    is_alone = whole or not begins
    since = month.first if is_alone else version.valid_from
    assumed = AssumedVersion(book_id, since, version.prices, is_alone)
    return PreviewTerms(month, currency, assumed, begins and version.valid_from > month.first)


class RuledBuyer(NamedTuple):
    """A buyer to whom the book applies."""

    id: SubjectId
    seq: int
    """In order of creation."""
    name: str
    owner: str
    """Of a contract: its distributor."""
    partners: int
    """Of a contract: open partners under it, counted up to one more than MOST_PARTNERS."""


@dataclass(frozen=True)
class Compared:
    """Two amounts in one currency."""

    now: Money
    """What is charged for the month so far."""
    then: Money
    """What would be."""

    @property
    def difference(self) -> Money:
        """What would be charged more; below zero, less."""
        return self.then - self.now

    @property
    def change(self) -> Decimal | None:
        """The same as a fraction of what is charged now; None: that is nothing."""
        return self.difference.amount / self.now.amount if self.now else None


@dataclass(frozen=True)
class BuyerPreview:
    """A buyer, with its amounts, or why it has none."""

    buyer: RuledBuyer
    amounts: Compared | Problem | NoPreview

    @property
    def id(self) -> SubjectId:
        """Of the buyer."""
        return self.buyer.id

    @property
    def compared(self) -> Compared | None:
        """Its amounts, if it has any."""
        return self.amounts if isinstance(self.amounts, Compared) else None

    def document(self, level: SubjectKind, terms: PreviewTerms) -> dict[str, Any]:
        """As JSON: amounts in the major unit, as decimal texts."""
        if isinstance(self.amounts, Compared):
            of = {"now": self.amounts.now, "preview": self.amounts.then, "difference": self.amounts.difference}
            amounts = {name: f"{money.amount:f}" for name, money in of.items()}
        else:
            amounts = {"problem": self.amounts}
        return {
            "buyer": str(self.buyer.id),
            "buyerName": self.buyer.name,
            "level": level,
            "month": str(terms.month),
            "from": terms.since.isoformat(),
            "through": terms.month.last.isoformat(),
            "currency": terms.currency,
            **amounts,
        }


def previews_of(buyers: Sequence[RuledBuyer], now: Sequence[MonthNet], then: Sequence[MonthNet]) -> list[BuyerPreview]:
    """In the order of the buyers. Those without nets have too many partners."""
    charged = {one.buyer_id: (one.net, other.net) for one, other in zip(now, then, strict=True)}
    return [_preview(buyer, *charged.get(buyer.id, _NOT_RATED)) for buyer in buyers]


_NOT_RATED = (NoPreview.TOO_MANY_PARTNERS, NoPreview.TOO_MANY_PARTNERS)


def _preview(buyer: RuledBuyer, now: Money | Problem | NoPreview, then: Money | Problem | NoPreview) -> BuyerPreview:
    if not isinstance(now, Money):
        return BuyerPreview(buyer, now)
    return BuyerPreview(buyer, Compared(now, then) if isinstance(then, Money) else then)


def within(buyers: Sequence[RuledBuyer], most_partners: int | None) -> list[RuledBuyer]:
    """Those that are rated, in their order, while their partners are not more than that in all. None: everyone."""
    found: list[RuledBuyer] = []
    left = most_partners
    for buyer in buyers:
        if left is None or buyer.partners <= left:
            found.append(buyer)
            left = left if left is None else left - buyer.partners
    return found


@dataclass(frozen=True)
class PreviewSums:
    """The totals of some buyers."""

    amounts: Compared
    buyers: int
    """How many have amounts."""
    without: int
    """How many have none."""


def sums_of(previews: Sequence[BuyerPreview], currency: str) -> PreviewSums:
    """The totals of these, which are in that currency."""
    known = [one.compared for one in previews if one.compared]
    sums = Compared(total((one.now for one in known), currency), total((one.then for one in known), currency))
    return PreviewSums(sums, len(known), len(previews) - len(known))

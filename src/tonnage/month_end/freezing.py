"""Freezing the month of a seller: when it can be, and what it has done."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from tonnage.billing.month import last_day_of
from tonnage.billing.month_net import Fees, margins
from tonnage.error_codes import ConflictCode
from tonnage.errors import Conflict, Sentence
from tonnage.metering.sampling import SampledThrough
from tonnage.money import Money, totals
from tonnage.month_end.freeze_progress import FreezeProgress
from tonnage.numbering.series import NotedGap
from tonnage.statements.adjustment import AdjustmentSum
from tonnage.utc import month_after


class Blocked(NamedTuple):
    """A buyer whose statement cannot be frozen."""

    name: str
    reason: str

    def document(self) -> dict[str, str]:
        """As JSON."""
        return {"buyerName": self.name, "reason": self.reason}


@dataclass(frozen=True)
class BlockedBuyer:
    """A buyer whose statement of a month cannot be frozen, for pages."""

    name: str
    id: UUID | int
    """Of the contract, the partner or the storage account."""
    organisation_id: UUID | None
    """Whose billing profile is missing, for that reason; None: the profile is that of a storage account."""


@dataclass(frozen=True)
class BlockedGroup:
    """Those with one reason."""

    reason: str
    count: int
    buyers: list[BlockedBuyer]
    """The first ones by name."""


@dataclass(frozen=True)
class FreezeResult:
    """What a freeze has done."""

    seller_id: UUID
    first: date
    """The first day of the month."""
    numbers: Sequence[str]
    """Of the statements that it froze, in their order; none if all were frozen before."""
    blocked: Sequence[Blocked]

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "month": f"{self.first:%Y-%m}",
            "seller": str(self.seller_id),
            "frozen": len(self.numbers),
            **({"first": self.numbers[0], "last": self.numbers[-1]} if self.numbers else {}),
            "blocked": [one.document() for one in self.blocked],
        }

    def json(self) -> str:
        """The same as text."""
        return json.dumps(self.document(), ensure_ascii=False)


@dataclass(frozen=True)
class MonthSum:
    """Frozen statements in one currency, less their credit notes."""

    currency: str
    statements: int
    """Without credit notes."""
    net: Decimal
    gross: Decimal
    paid: Decimal
    unpaid: Decimal
    """What buyers owe: of statements that are not paid, less what credit notes have taken back."""

    def document(self) -> dict[str, Any]:
        """As JSON."""
        amounts = {name: f"{getattr(self, name):f}" for name in ("net", "gross", "paid")}
        return {"currency": self.currency, "statements": self.statements, **amounts}


@dataclass(frozen=True)
class SoFar:
    """What is charged for a month by no frozen statement yet: the stored nets, without adjustments and taxes."""

    sold: Fees = field(default_factory=Fees)
    bought: Fees = field(default_factory=Fees)

    @property
    def computed_at(self) -> datetime | None:
        """The oldest moment of the nets; None: nothing is stored."""
        return min((fees.computed_at for fees in (self.sold, self.bought) if fees.computed_at), default=None)

    @property
    def unknown(self) -> int:
        """Buyers in no sum, because their prices are in several currencies."""
        return self.sold.unknown + self.bought.unknown

    def beside(self, sold: Sequence[MonthSum], bought: Sequence[MonthSum]) -> "SoFar":
        """The same in a month with frozen statements."""
        return SoFar(_left(self.sold, sold), _left(self.bought, bought))

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {
            **{name: [_document(one) for one in getattr(self, name).sums] for name in ("sold", "bought")},
            **({"severalCurrencies": self.unknown} if self.unknown else {}),
            "computedAt": f"{self.computed_at:%Y-%m-%dT%H:%M:%SZ}",
        }


def _left(so_far: Fees, frozen: Sequence[MonthSum]) -> Fees:
    """Buyers that are charged nothing get no statement: a sum of nothing says nothing where others have one."""
    if not frozen:
        return so_far
    sums = [one for one in so_far.sums if one]
    return replace(so_far, sums=sums) if sums or so_far.unknown else Fees()


def _document(money: Money) -> dict[str, str]:
    return {"currency": money.currency, "net": f"{money.amount:f}"}


@dataclass(frozen=True)
class SellerMonth:
    """What an organisation has sold and bought in a month that begins on `first`."""

    first: date
    is_over: bool
    sold: Sequence[MonthSum]
    bought: Sequence[MonthSum]
    so_far: SoFar
    """Beside what is frozen: of the running month and of the last one."""
    blocked: Sequence[Blocked] = ()
    gaps: Sequence[NotedGap] = ()
    """Numbers that are missing, noted in the month after."""
    progress: FreezeProgress | None = None
    """Of the freeze that is going on."""
    adjustments: Sequence[AdjustmentSum] = ()
    """What corrects the month: lines of later statements."""

    @property
    def state(self) -> str:
        """`open`, `over` or `frozen`."""
        if not self.is_over:
            return "open"
        return "frozen" if self.sold else "over"

    @property
    def margins(self) -> Sequence[Money]:
        """Sold less bought in each currency that both are in, before taxes: what is frozen and what is charged so far.
        None of them while some of it is not known."""
        if self.so_far.unknown:
            return ()
        sold, bought = self.sold_in_all, self.bought_in_all
        return margins(sold, bought)

    @property
    def sold_in_all(self) -> Sequence[Money]:
        """Frozen and so far, net, in order of currencies."""
        return _in_all(self.sold, self.so_far.sold)

    @property
    def bought_in_all(self) -> Sequence[Money]:
        """Likewise."""
        return _in_all(self.bought, self.so_far.bought)

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "month": f"{self.first:%Y-%m}",
            "state": self.state,
            "sold": [one.document() for one in self.sold],
            "bought": [one.document() for one in self.bought],
            **({"soFar": self.so_far.document()} if self.so_far.computed_at else {}),
            "margins": [_document(one) for one in self.margins],
            "adjustments": [one.document() for one in self.adjustments],
            "blocked": [one.document() for one in self.blocked],
            **({"progress": self.progress.document()} if self.progress else {}),
            "gaps": [{"numbers": one.gap.text, "notedAt": f"{one.noted_at:%Y-%m-%dT%H:%M:%SZ}"} for one in self.gaps],
        }


def _in_all(frozen: Sequence[MonthSum], so_far: Fees) -> Sequence[Money]:
    return totals([*(Money(one.net, one.currency) for one in frozen), *so_far.sums])


def require_known(sampled: SampledThrough | None) -> None:
    """Conflict: the usage of a region is not known through the end of the month."""
    if sampled is None:
        return
    if sampled.hour is None:
        message = Sentence(
            "The usage of the region {region} is not known yet. Freeze the month when its cluster has been sampled.",
            region=sampled.region,
        )
    else:
        message = Sentence(
            "The usage of the region {region} is known until {hour}. Freeze the month when its cluster has been "
            "sampled.",
            region=sampled.region,
            hour=f"{sampled.hour:%Y-%m-%d %H:%M} UTC",
        )
    raise Conflict(message, ConflictCode.USAGE_INCOMPLETE)


def require_over(first: date, today: date) -> None:
    """Conflict: the month that begins on `first` is not over."""
    if today <= last_day_of(first):
        raise Conflict(
            "The month {month} is not over. It can be frozen from {day} on.",
            ConflictCode.MONTH_NOT_OVER,
            month=f"{first:%Y-%m}",
            day=(month_after(first)).isoformat(),
        )

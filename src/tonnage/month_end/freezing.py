"""Freezing the month of a seller: when it can be, and what it has done."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from tonnage.billing.month import last_day_of
from tonnage.error_codes import ConflictCode
from tonnage.errors import Conflict, Sentence
from tonnage.metering.sampling import SampledThrough
from tonnage.money import Money
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
class SellerMonth:
    """What an organisation has sold and bought in a month that begins on `first`."""

    first: date
    is_over: bool
    sold: Sequence[MonthSum]
    bought: Sequence[MonthSum]
    blocked: Sequence[Blocked]
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
    def margin(self) -> Money | None:
        """Sold less bought, before taxes; None where one is missing, or they are in several currencies."""
        if len(self.sold) != 1 or len(self.bought) != 1 or self.sold[0].currency != self.bought[0].currency:
            return None
        return Money(self.sold[0].net - self.bought[0].net, self.sold[0].currency)

    def document(self) -> dict[str, Any]:
        """As JSON."""
        margin = self.margin
        return {
            "month": f"{self.first:%Y-%m}",
            "state": self.state,
            "sold": [one.document() for one in self.sold],
            "bought": [one.document() for one in self.bought],
            **({"margin": {"currency": margin.currency, "net": f"{margin.amount:f}"}} if margin else {}),
            "adjustments": [one.document() for one in self.adjustments],
            "blocked": [one.document() for one in self.blocked],
            **({"progress": self.progress.document()} if self.progress else {}),
            "gaps": [{"numbers": one.gap.text, "notedAt": f"{one.noted_at:%Y-%m-%dT%H:%M:%SZ}"} for one in self.gaps],
        }


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

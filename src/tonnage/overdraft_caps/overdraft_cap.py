"""Caps of overdraft: how much may be used beyond an allocation, or of pay-per-use."""

import re
from dataclasses import dataclass
from decimal import Decimal

from tonnage.errors import Invalid
from tonnage.units import MAX_CAPACITY

MOST_PERCENT = 1_000
_MOST_AMOUNT = Decimal(10) ** 12
_AMOUNT = re.compile(r"\d{1,13}(?:\.\d{1,6})?", re.ASCII)


def parse_amount(text: str) -> Decimal:
    """An amount of money as decimal text, in the major unit. Invalid: it is no such text."""
    if not _AMOUNT.fullmatch(text):
        raise Invalid.field("amount", "must be an amount as decimal text, such as 100.00")
    return Decimal(text)


@dataclass(frozen=True)
class NewCap:
    """A cap in one unit."""

    percent: int | None = None
    """Of the allocation; of what has an override, of the override while it runs."""
    capacity: int | None = None
    """Bytes."""
    amount: Decimal | None = None
    """Money a month for use beyond the allocation, in the major unit of the currency of the buyer's prices."""

    def __post_init__(self) -> None:
        """Invalid: it has no unit or several, or the number is not one that a cap can have."""
        given = [one for one in (self.percent, self.capacity, self.amount) if one is not None]
        if len(given) != 1:
            raise Invalid.field("percent", "give one of percent, capacity and amount")
        if self.percent is not None and not 1 <= self.percent <= MOST_PERCENT:
            raise Invalid.field("percent", "must be 1 to {most}", most=MOST_PERCENT)
        if self.capacity is not None and not 0 <= self.capacity <= MAX_CAPACITY:
            raise Invalid.field("capacity", "must be 0 to {most} bytes", most=MAX_CAPACITY)
        if self.amount is not None and not 0 < self.amount <= _MOST_AMOUNT:
            raise Invalid.field("amount", "must be more than 0, and at most {most}", most=f"{_MOST_AMOUNT:f}")

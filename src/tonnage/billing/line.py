"""A line of a statement: what is charged for, how much of it, at which price."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import TypeAlias
from uuid import UUID

from tonnage.money import Money, digits, round_half_away
from tonnage.price_books.version import Product

SubjectId: TypeAlias = UUID | int
"""A contract, a partner, or the number of a storage account."""


class Extra(StrEnum):
    """What a statement has besides products."""

    CAPACITY_MINIMUM = "capacity_minimum"
    """What is missing of the least quantity of pay-per-use."""
    DISCOUNT = "discount"
    MINIMUM_CHARGE = "minimum_charge"
    """What is missing of the least amount of a month."""
    ADJUSTMENT = "adjustment"
    """What a frozen month is charged more or less now, or what a person has added or taken off: it is not rated."""


@dataclass(frozen=True, slots=True)
class Line:
    """One subject, one product, one unit price under one contract."""

    product: Product | Extra
    subject_id: SubjectId
    contract_id: UUID | None
    first: date
    """The first day with that price, and `last` the last one."""
    last: date
    amount: Money
    """Rounded once. Every total is the sum of lines."""
    byte_days: int = 0
    """Of egress bytes; 0 of what has no quantity."""
    unit_price: Decimal | None = None
    """Hundredths of the major unit, per GB-month; per GB of egress. None: it has no quantity."""
    adjustment_id: UUID | None = None
    """Of an adjustment."""
    reason: str | None = None
    """Why a person has made the adjustment."""
    credited_line: int | None = None
    """Of a credit note: the number of the line that it takes back."""


def subject_columns(subject: SubjectId) -> tuple[UUID | None, int | None]:
    """A subject as tables have it: the id of a contract or a partner, or the number of a storage account."""
    return (subject, None) if isinstance(subject, UUID) else (None, subject)


def amount_of(quantity: Fraction, price: Decimal, currency: str) -> Money:
    """Quantity x unit price, rounded once to the digits of the currency."""
    return Money(round_half_away(quantity * Fraction(price) / 100, digits(currency)), currency)

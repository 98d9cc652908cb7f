"""Rating: usage x terms x prices = lines. No I/O; excess_queries.py does the same in SQL, and a test compares the two.

Excess of a partner on a day = max(0, its use - its allocation), so the whole use when the allocation is 0. The terms of
a day, the partner's and the contract's, are those at its end (UTC).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Protocol, TypeVar
from uuid import UUID

from tonnage.billing.month import gb_months
from tonnage.money import Money, digits, round_half_away
from tonnage.utc import day_of


class Terms(Protocol):
    """Terms that apply from a moment on."""

    @property
    def valid_from(self) -> datetime:
        """The first moment at which they apply."""
        ...


T = TypeVar("T", bound=Terms)


@dataclass(frozen=True)
class PartnerTerms:
    """A partner's contract, and its allocation in bytes; 0 is pay-per-use."""

    valid_from: datetime
    contract_id: UUID
    allocated_capacity: int


@dataclass(frozen=True)
class PriceTerms:
    """The price of a GB-month in hundredths of the major unit."""

    valid_from: datetime
    price: Decimal


@dataclass(frozen=True)
class PriceHistory:
    """A contract's prices, in the order in which they were written, and their currency."""

    currency: str
    terms: Sequence[PriceTerms]


@dataclass(frozen=True)
class ExcessLine:
    """The charge for one partner in a month under one contract at one unit price."""

    contract_id: UUID
    unit_price: Decimal
    byte_days: int
    first: date
    """The first day with that price, and `last` the last one."""
    last: date
    amount: Money


def terms_of_day(history: Sequence[T], day: date) -> T | None:
    """The terms at the end of the day; None before the first terms.

    `history` is in the order in which it was written: of two terms with the same instant, the later written counts.
    """
    begun = [(terms.valid_from, written) for written, terms in enumerate(history) if day_of(terms.valid_from) <= day]
    return history[max(begun)[1]] if begun else None


def charge(byte_days: int, price: Decimal, currency: str, month: date) -> Money:
    """Quantity x unit price, rounded once to the digits of the currency."""
    exact = gb_months(byte_days, month) * Fraction(price) / 100
    return Money(round_half_away(exact, digits(currency)), currency)


def rate(
    usage: Mapping[date, int], terms: Sequence[PartnerTerms], prices: Mapping[UUID, PriceHistory]
) -> list[ExcessLine]:
    """The lines of one partner, in order of their first day. `usage` is bytes on days of one calendar month.

    A day before the partner's or its contract's first terms is not charged.
    """
    excess: dict[tuple[UUID, Decimal], dict[date, int]] = {}
    for day in sorted(usage):
        partner = terms_of_day(terms, day)
        contract = terms_of_day(prices[partner.contract_id].terms, day) if partner else None
        if partner and contract and usage[day] > partner.allocated_capacity:
            line = excess.setdefault((partner.contract_id, contract.price), {})
            line[day] = usage[day] - partner.allocated_capacity
    return [
        ExcessLine(
            contract_id=contract_id,
            unit_price=price,
            byte_days=sum(days.values()),
            first=min(days),
            last=max(days),
            amount=charge(sum(days.values()), price, prices[contract_id].currency, min(days)),
        )
        for (contract_id, price), days in excess.items()
    ]

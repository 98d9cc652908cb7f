"""Adjustments: what is added to a buyer's next statement, how much of it fits there, and what that charges in all."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from math import ceil
from typing import Any, NamedTuple, TypeAlias
from uuid import UUID

from tonnage.billing.buyer import Buyer
from tonnage.billing.line import Extra, Line, SubjectId
from tonnage.billing.month import last_day_of
from tonnage.billing_profiles.tax import (
    BlockedReason,
    TaxBlocked,
    TaxCategory,
    TaxDecision,
    TaxWarning,
    tax,
    tax_amount,
)
from tonnage.errors import FieldError, Invalid, NotFound, Sentence
from tonnage.money import CURRENCIES, Money, digits, round_half_away, total
from tonnage.parties.party import Party, Seller
from tonnage.printable_text import printable_text

_AMOUNT = re.compile(r"-?\d{1,13}(?:\.\d{1,6})?", re.ASCII)
_MOST = Decimal(10) ** 12


class TaxKind(NamedTuple):
    """What is taxed together."""

    category: TaxCategory
    rate: Decimal
    """Percent."""


Bases: TypeAlias = Mapping[TaxKind | None, Money]
"""The sum of the lines of each kind of tax. None: nobody knows it yet, and there is no tax."""


@dataclass(frozen=True, slots=True)
class Adjustment:
    """As far as no frozen statement has it."""

    id: UUID
    remaining: Money
    """Below zero the buyer is charged less."""
    reason: str | None
    """Why a person made it. None: a frozen month was computed again."""
    month: date | None
    """The month that was computed again."""
    tax: TaxKind | None
    """That of the month. None: that of the statement that it is added to."""
    made_on: date

    def line(self, buyer_id: SubjectId, first: date, amount: Money) -> Line:
        """A line with that amount of it, in the statement of the month that begins on `first`."""
        about = self.month or first
        return Line(
            Extra.ADJUSTMENT,
            buyer_id,
            None,
            about,
            last_day_of(about),
            amount,
            adjustment_id=self.id,
            reason=self.reason,
        )


@dataclass(frozen=True, slots=True)
class NewAdjustment:
    """Goodwill, or a charge beside the prices, as a person makes it."""

    amount: Money
    reason: str

    @classmethod
    def read(cls, amount: str, currency: str, reason: str) -> "NewAdjustment":
        """Invalid, for all fields that are wrong at once: no currency; an amount that is no decimal number other than
        0, up to 10^12 and with the currency's decimal places; a reason that is no text of 1 to 200 characters that can
        be printed."""
        if currency not in CURRENCIES:
            raise Invalid.field("currency", Sentence("must be the three letters of a currency, such as EUR"))
        wrong: list[FieldError] = []
        places, number = digits(currency), Decimal(amount) if _AMOUNT.fullmatch(amount) else Decimal(0)
        if not 0 < abs(number) <= _MOST or number != round_half_away(number, places):
            message = Sentence(
                "must be a decimal number other than 0, up to {most} and with at most {digits} decimal places",
                most=f"{_MOST:f}",
                digits=places,
            )
            wrong.append(FieldError("amount", message))
        text = printable_text("reason", reason, wrong)
        if wrong:
            raise Invalid.with_fields(wrong)
        return cls(Money(round_half_away(number, places), currency), text)


@dataclass(frozen=True, slots=True)
class MonthCorrection:
    """What a frozen month is charged more or less than before."""

    buyer: Buyer
    month: date
    """Its first day."""
    correction_id: UUID
    """The statement as it was computed again."""
    amount: Money
    tax: TaxKind | None
    """That of the frozen statement."""


@dataclass(frozen=True, slots=True)
class AdjustmentSum:
    """The adjustments in one currency that correct a month."""

    currency: str
    count: int
    amount: Decimal
    """Their sum, before taxes; below zero the month is charged less."""

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {"currency": self.currency, "count": self.count, "amount": f"{self.amount:f}"}


def adjustment_id(text: str) -> UUID:
    """The id of an adjustment in a path. NotFound for any other text."""
    try:
        found = UUID(text)
    except ValueError:
        raise no_adjustment(text) from None
    if str(found) != text:
        raise no_adjustment(text)
    return found


def no_adjustment(adjustment_id: str) -> NotFound:
    """The same for one that does not exist and one of others."""
    return NotFound("There is no adjustment {adjustment}.", adjustment=adjustment_id)


def adjusted(
    adjustments: Iterable[Adjustment], buyer_id: SubjectId, first: date, net: Money, own: TaxKind | None
) -> tuple[list[Line], Bases]:
    """The lines that fit into the statement of a buyer's month, and what is taxed in all.

    `net`: the sum of its other lines, which are taxed as `own`. Those that charge more come first; what charges less is
    used as far as neither the net nor the gross falls below zero, and the rest of it remains for the next statement.
    """
    bases: dict[TaxKind | None, Money] = {own: net}
    nothing = Money.zero(net.currency)
    lines: list[Line] = []
    for one in sorted(adjustments, key=_charges_less):
        if one.remaining.currency != net.currency:
            continue
        kind, amount = one.tax or own, one.remaining
        if amount < nothing:
            amount = max(amount, -_most_less(bases, kind, net.currency))
        if amount:
            bases[kind] = bases.get(kind, nothing) + amount
            lines.append(one.line(buyer_id, first, amount))
    return lines, bases


def taxes(bases: Bases) -> list[TaxDecision]:
    """The tax on each sum."""
    return [
        TaxDecision(kind.category, kind.rate, base, tax_amount(base, kind.rate))
        for kind, base in bases.items()
        if kind is not None
    ]


def gross(bases: Bases, decided: Iterable[TaxDecision], currency: str) -> Money:
    """With the taxes that are decided for these bases."""
    return total([*bases.values(), *(one.amount for one in decided)], currency)


def _gross(bases: Bases, currency: str) -> Money:
    return gross(bases, taxes(bases), currency)


def _most_less(bases: Bases, kind: TaxKind | None, currency: str) -> Money:
    """How much less of a kind can be charged before the net or the gross is below zero."""
    nothing, unit = Money.zero(currency), Money.of_minor_units(1, currency)
    per_net = 1 + Fraction(kind.rate if kind else 0) / 100
    # Rounded up: the tax of what would be left over was rounded, so that a unit too few would remain.
    units = ceil(Fraction(_gross(bases, currency).amount) * 10 ** digits(currency) / per_net)
    most = min(total(bases.values(), currency), Money.of_minor_units(units, currency))
    while most > nothing and _gross({**bases, kind: bases.get(kind, nothing) - most}, currency) < nothing:
        most -= unit
    return max(most, nothing)


def _charges_less(adjustment: Adjustment) -> bool:
    return adjustment.remaining.amount < 0


@dataclass(frozen=True)
class Totals:
    """Beside the lines of the month's use."""

    adjustments: Sequence[Line]
    net: Money
    """The sum of all lines."""
    taxes: Sequence[TaxDecision]
    gross: Money
    """With taxes."""
    warning: TaxWarning | None = None
    blocked: BlockedReason | None = None
    """Why it cannot be frozen, and has no taxes."""


def totals_of(
    seller: Seller, party: Party, buyer_id: SubjectId, first: date, net: Money, adjustments: Iterable[Adjustment]
) -> Totals:
    """Of the month that begins on `first`, with which the service period ends: for it the tax is decided.

    `net`: the sum of the lines of use; `adjustments`: those that it can have.
    """
    small_business = seller.settings.small_business
    decision = tax(seller.profile, party.profile, net, last_day_of(first), seller.rates, small_business=small_business)
    if isinstance(decision, TaxBlocked):
        lines, bases = adjusted(adjustments, buyer_id, first, net, None)
        sum_of_bases = total(bases.values(), net.currency)
        return Totals(lines, sum_of_bases, (), sum_of_bases, blocked=decision.reason)
    lines, bases = adjusted(adjustments, buyer_id, first, net, TaxKind(decision.category, decision.rate))
    decided = taxes(bases)
    return Totals(
        lines,
        total(bases.values(), net.currency),
        decided,
        gross(bases, decided, net.currency),
        decision.warning,
    )

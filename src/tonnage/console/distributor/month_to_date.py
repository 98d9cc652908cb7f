"""What a month has cost so far, of all that a page is about: one sum per currency."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from tonnage.billing.month_to_date import MonthToDate
from tonnage.money import Money, round_half_away, totals


@dataclass(frozen=True)
class MonthToDateTotals:
    """Use beyond allocations, and its fees."""

    gb_months: Decimal
    """To the hundredth."""
    fees: list[Money]
    """One for each currency, in order of their codes."""

    @property
    def is_charged(self) -> bool:
        """Whether there is anything to pay."""
        return any(self.fees)


def month_to_date_totals(months: Iterable[MonthToDate]) -> MonthToDateTotals:
    """Of one partner's month, or of those of several contracts."""
    known = list(months)
    gb_months = sum((month.gb_months for month in known), Fraction(0))
    return MonthToDateTotals(round_half_away(gb_months, 2), totals(month.fee for month in known))

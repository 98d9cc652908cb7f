"""What a month has cost so far, of all that a page is about: one sum per currency."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from tonnage.usage.month_queries import MonthSoFar


@dataclass(frozen=True)
class MonthToDateTotals:
    """Use beyond allocations, and its fees."""

    gb_months: Decimal
    """To the hundredth, rounded half up."""
    fees: list[tuple[Decimal, str]]
    """Cents and currency, in order of the currencies."""

    @property
    def is_charged(self) -> bool:
        """Whether there is anything to pay."""
        return any(fee for fee, _ in self.fees)


def month_to_date_totals(months: Iterable[MonthSoFar]) -> MonthToDateTotals:
    """Of one partner's month, or of those of several contracts."""
    known = list(months)
    gb_months = sum((month.gb_months for month in known), Decimal(0))
    fees: dict[str, Decimal] = {}
    for month in known:
        fees[month.currency] = fees.get(month.currency, Decimal(0)) + month.fee_cents
    return MonthToDateTotals(
        gb_months.quantize(Decimal("0.01"), ROUND_HALF_UP),
        [(fee, currency) for currency, fee in sorted(fees.items())],
    )

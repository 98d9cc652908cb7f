"""The month to date."""

from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from tonnage.billing.month import gb_months
from tonnage.money import Money


class MonthToDate(NamedTuple):
    """Use beyond allocations from the first of the month through today, and its fee."""

    excess: Decimal
    """Sum over the days, byte-days."""
    today: date
    fee: Money
    """The sum of its lines, each of them rounded."""

    @property
    def gb_months(self) -> Fraction:
        """The excess in GB-months, the billing unit."""
        return gb_months(self.excess, self.today)

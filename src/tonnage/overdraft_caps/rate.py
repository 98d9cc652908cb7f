"""What use beyond an allocation costs, and how much of it an amount of money pays for."""

from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from tonnage.billing.month import GB, Month
from tonnage.errors import Invalid
from tonnage.money import Money, digits
from tonnage.units import MAX_CAPACITY


class Rate(NamedTuple):
    """What use beyond the allocation costs from today to the end of the month."""

    currency: str
    price: Decimal
    """The highest price of these days, hundredths of the major unit per GB-month; more than 0."""
    charged: Decimal
    """What the days of the month before today have cost, major unit."""

    def money(self, amount: Decimal) -> Money:
        """An amount with the currency's decimal places. Invalid: it has more."""
        places = digits(self.currency)
        found = Money(amount, self.currency).rounded()
        if amount != found.amount:
            raise Invalid.field(
                "amount", "must have at most {places} decimal places in {currency}", places=places,
                currency=self.currency,
            )  # fmt: skip
        return found

    def bytes_for(self, amount: Money, month: Month) -> int:
        """How much can be used beyond the allocation from the last day of `month`, today, to the end of the calendar
        month, without costing more in the whole of it: EUR 100 at 10 cents are 1,000 GB on the first day, and after
        EUR 60 on 15 days of 30 they are 800 GB."""
        left = Fraction(amount.amount - self.charged) * 100
        if left <= 0:
            return 0
        days = month.days - month.through + 1
        return min(MAX_CAPACITY, int(left / Fraction(self.price) * month.days / days * GB))

"""What buyers are charged for a month."""

from collections.abc import Iterator
from dataclasses import dataclass

from tonnage.billing.line import Line
from tonnage.billing.month import BuyerMonth, SubjectMonth
from tonnage.billing.month_prices import CurrencyConflict
from tonnage.billing.rating import rate


@dataclass(frozen=True, slots=True)
class Charges:
    """The lines of a buyer's month."""

    buyer: BuyerMonth
    lines: list[Line]
    subject: SubjectMonth | None = None
    """The buyer's own use. None: a contract, which pays for the partners under it."""


@dataclass(frozen=True, slots=True)
class BuyerMonths:
    """The months of buyers that pay for themselves alone. Those without a price book in the month are left out."""

    priced: list[tuple[BuyerMonth, SubjectMonth]]
    conflicts: list[CurrencyConflict]

    def charges(self) -> Iterator[Charges]:
        """What each of `priced` is charged."""
        for buyer, subject in self.priced:
            yield Charges(buyer, rate(buyer, [subject]), subject)

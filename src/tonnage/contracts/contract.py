"""A contract: what a distributor has reserved, and the price of use beyond what it has allocated."""

import re
from dataclasses import dataclass
from decimal import Decimal

from tonnage.errors import Sentence
from tonnage.money import CURRENCIES

_PRICE = re.compile(r"\d{1,12}(?:\.\d{1,6})?", re.ASCII)


def price(text: str) -> Decimal:
    """Cents per excess GB-month, exact: `100`, `0.5`. Raises ValueError with what is wrong."""
    if not _PRICE.fullmatch(text):
        raise ValueError(
            Sentence(
                "{text} is not a price; write cents per GB and month, such as 100 or 0.5, with at most 12 digits "
                "before the point and 6 after it",
                text=repr(text[:40]),
            )
        )
    return Decimal(text)


def currency(code: str) -> str:
    """The code itself if it is one of `money.CURRENCIES`. Raises ValueError."""
    if code not in CURRENCIES:
        raise ValueError(
            Sentence(
                "{code} is not a currency; write the ISO 4217 code of one, such as EUR, in capital letters",
                code=repr(code[:40]),
            )
        )
    return code


@dataclass(frozen=True)
class NewContract:
    """What is signed."""

    reserved_capacity: int
    price_cents: Decimal
    currency: str
    details: str | None = None


@dataclass(frozen=True)
class Amendment:
    """What changes; None leaves a thing as it is."""

    reserved_capacity: int | None = None
    price_cents: Decimal | None = None
    details: str | None = None
    """"" removes the name."""


@dataclass(frozen=True)
class ContractRemaining:
    """Capacities of a contract, bytes."""

    reserved: int
    allocated: int

    @property
    def remaining(self) -> int:
        """What may still be allocated to partners."""
        return self.reserved - self.allocated

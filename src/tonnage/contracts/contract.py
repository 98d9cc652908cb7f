"""A contract: what a distributor has reserved, and the price of use beyond what it has allocated."""

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

MAX_PRICE = Decimal(10) ** 12
_CURRENCY = re.compile(r"[A-Z]{3}")


def price(text: str) -> Decimal:
    """Cents per excess GB-month, exact: `100`, `0.5`. Raises ValueError with what is wrong."""
    try:
        cents = Decimal(text)
    except InvalidOperation:
        raise ValueError(f"{text!r} is not a price; write cents per GB and month, such as 100 or 0.5") from None
    if not cents.is_finite() or not 0 <= cents < MAX_PRICE:
        raise ValueError(f"{text!r} is not a price; it must be 0 or more, and below {MAX_PRICE:f} cents")
    return cents


def currency(code: str) -> str:
    """The code itself if it has the form of ISO 4217. Raises ValueError."""
    if not _CURRENCY.fullmatch(code):
        raise ValueError(f"{code!r} is not a currency; write its three capital letters, such as EUR")
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


@dataclass(frozen=True)
class Room:
    """Capacities of a contract, bytes."""

    reserved: int
    allocated: int

    @property
    def remaining(self) -> int:
        """What may still be allocated to partners."""
        return self.reserved - self.allocated

"""A contract: the reserved capacity of a distributor, and the price of use in excess of its allocations."""

import re
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from tonnage.errors import NotFound, Sentence
from tonnage.money import CURRENCIES

_PRICE = re.compile(r"\d{1,13}(?:\.\d{1,6})?", re.ASCII)

MAX_PRICE = 10**12
"""The largest price, in hundredths of the currency's major unit."""


def price(text: str) -> Decimal:
    """Cents per excess GB-month, exact: `100`, `0.5`. Raises ValueError with the rule that is broken."""
    if not _PRICE.fullmatch(text) or Decimal(text) > MAX_PRICE:
        raise ValueError(
            Sentence(
                "{text} is not a price; write cents per GB and month, such as 100 or 0.5: at most 1000000000000, with "
                "at most 6 digits after the point",
                text=repr(text[:40]),
            )
        )
    return Decimal(text)


def currency(code: str) -> str:
    """Returns the code if it is one of `money.CURRENCIES`. Raises ValueError otherwise."""
    if code not in CURRENCIES:
        raise ValueError(
            Sentence(
                "{code} is not a currency; write an ISO 4217 code in capital letters, such as EUR",
                code=repr(code[:40]),
            )
        )
    return code


@dataclass(frozen=True)
class NewContract:
    """The data of a new contract."""

    reserved_capacity: int
    price_cents: Decimal
    currency: str
    details: str | None = None


@dataclass(frozen=True)
class Amendment:
    """The fields to change; None leaves a field as it is."""

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
        """What can still be allocated to partners."""
        return self.reserved - self.allocated


def no_contract(contract_id: UUID) -> NotFound:
    """The same message for a contract that does not exist, that has ended, and that is out of scope."""
    return NotFound("There is no contract {contract}.", contract=str(contract_id))

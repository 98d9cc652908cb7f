"""Fields of forms with prices."""

from decimal import Decimal
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, BeforeValidator

from tonnage.contracts.contract import currency, price
from tonnage.web.number_fields import Number


def checked_price(cents: Decimal) -> Decimal:
    """Raises ValueError for what cannot be a price."""
    try:
        return price(f"{cents:f}")
    except ValueError:  # its own sentence is that of the command line and the API
        raise ValueError("must be at most 1000000000000, with at most 6 digits after the decimal separator") from None


Price: TypeAlias = Annotated[Number, AfterValidator(checked_price)]
"""Hundredths of the currency's major unit."""

Currency: TypeAlias = Annotated[str, BeforeValidator(str.strip), BeforeValidator(str.upper), AfterValidator(currency)]
"""Its code, in letters of either case."""

"""What a typed number means, beside its field. assets/numbers.js shows the same while a person types."""

from collections.abc import Mapping
from decimal import Decimal

from tonnage.money import CURRENCIES, Money
from tonnage.web.number_fields import number_in, size_in
from tonnage.wording.formatting import BESIDE, Formats

_GB_OF_TB = 1000


def size_preview(fields: Mapping[str, str], name: str, formats: Formats) -> str:
    """`1.5 TB = 1,500,000,000,000 bytes`; empty where the two fields of the size have none."""
    size = size_in(name, fields, formats.number_format)
    number = number_in(name, fields, formats.number_format)
    if size is None or number is None:
        return ""
    return f"{formats.number(number)}{BESIDE}{fields[f'{name}_unit']} = {formats.exact_size(size)}"


def price_preview(fields: Mapping[str, str], name: str, currency: str, formats: Formats) -> tuple[str, str] | None:
    """`€0.0069` and `€6.90`, per GB-month and per TB-month, of a price in hundredths; None without one."""
    cents = number_in(name, fields, formats.number_format)
    if cents is None or currency not in CURRENCIES:
        return None
    price = cents.scaleb(-2)
    return _money(price, currency, formats), _money(price * _GB_OF_TB, currency, formats)


def _money(amount: Decimal, currency: str, formats: Formats) -> str:
    return formats.exact_money(Money(amount, currency))

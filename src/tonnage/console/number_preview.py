"""What a typed number means, beside its field. assets/numbers.js shows the same while a person types."""

from collections.abc import Mapping

from tonnage.money import CURRENCIES
from tonnage.web.number_fields import number_in, size_in
from tonnage.wording.formatting import BESIDE, Formats


def size_preview(fields: Mapping[str, str], name: str, formats: Formats) -> str:
    """`1.5 TB = 1,500,000,000,000 bytes`; empty where the two fields of the size have none."""
    size = size_in(name, fields, formats.number_format)
    number = number_in(name, fields, formats.number_format)
    if size is None or number is None:
        return ""
    return f"{formats.number(number)}{BESIDE}{fields[f'{name}_unit']} = {formats.exact_size(size)}"


def price_preview(fields: Mapping[str, str], name: str, currency: str, formats: Formats, template: str) -> str:
    """`€0.0069 / GB-month (€6.90 / TB)`: the template with a price in hundredths and a thousand of it, as `gb` and
    `tb`; empty without one."""
    cents = number_in(name, fields, formats.number_format)
    if cents is None or currency not in CURRENCIES:
        return ""
    gb, tb = formats.per_gb_and_tb(cents, currency)
    return template.format(gb=gb, tb=tb)

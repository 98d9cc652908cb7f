"""What pages write in a member's locale is read in the fields of forms as the same number."""

from decimal import Decimal

import pytest

from tonnage.web.number_text import NumberFormat, parse_number
from tonnage.wording.choices import locales
from tonnage.wording.formatting import Formats

FORMATS = {
    "en_GB": NumberFormat("."),
    "en_IN": NumberFormat(".", has_pairs=True),
    "de_DE": NumberFormat(","),
    "de_AT": NumberFormat(","),
    "de_CH": NumberFormat("."),
    "fr_FR": NumberFormat(","),
    "fr_CH": NumberFormat(","),
    "sv_SE": NumberFormat(","),
    "pl_PL": NumberFormat(","),
    "bn_BD": NumberFormat(".", has_pairs=True),
    "ar_EG": NumberFormat("."),
    "xx_YY": NumberFormat("."),
}


@pytest.mark.parametrize(("locale", "number_format"), FORMATS.items())
def test_the_format_of_a_locale(locale: str, number_format: NumberFormat) -> None:
    assert Formats(locale, "UTC").number_format == number_format


TYPED = [
    ("en_GB", "1,234,567.5", "1234567.5"),
    ("en_IN", "12,34,567.5", "1234567.5"),
    ("de_DE", "1.234.567,5", "1234567.5"),
    ("de_DE", "1,5", "1.5"),
    ("de_CH", "1’234’567.5", "1234567.5"),
    ("de_CH", "1'234", "1234"),
    ("fr_FR", "1 234", "1234"),
    ("fr_FR", "1\N{NARROW NO-BREAK SPACE}234,25", "1234.25"),
    ("sv_SE", "1\N{NO-BREAK SPACE}234", "1234"),
    ("pl_PL", "1 234,5", "1234.5"),
    ("ar_EG", "١٬٢٣٤٫٥", "1234.5"),
    ("fa_IR", "۱٫۵", "1.5"),
    ("hi_IN", "१,००,०००", "100000"),
]


@pytest.mark.parametrize(("locale", "text", "value"), TYPED)
def test_what_a_locale_writes_is_read(locale: str, text: str, value: str) -> None:
    assert parse_number(text, Formats(locale, "UTC").number_format) == Decimal(value)


def test_every_locale_reads_what_its_pages_write() -> None:
    """Of the numbers that can be read in one way; that there are others is the point of the rule."""
    for locale in locales("en"):
        formats = Formats(locale, "UTC")
        for value in map(Decimal, ("0", "5", "1.5", "0.125", "1234567", "1234567.5", "98765432109876")):
            assert parse_number(formats.number(value), formats.number_format) == value, locale

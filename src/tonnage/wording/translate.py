"""What an error says, in a reader's language, with its numbers in their locale."""

from datetime import date, datetime
from decimal import Decimal
from gettext import NullTranslations

from tonnage.errors import Count, Sentence, TonnageError
from tonnage.money import Money
from tonnage.units import Size, format_size, parse_size
from tonnage.wording.formatting import Formats


def translate(said: TonnageError | str, translations: NullTranslations, formats: Formats) -> str:
    """Of an error, a `Sentence`, or a text that is looked up as it stands. What is not translated stays English."""
    text = said.sentence if isinstance(said, TonnageError) else said
    if not isinstance(text, Sentence):
        return translations.gettext(text) if text else ""  # gettext's "" is the catalogue's header
    template = translations.gettext(text.template) if text.template else ""
    if not text.values:
        return template
    return template.format_map({name: _value(value, translations, formats) for name, value in text.values.items()})


def _value(value: object, translations: NullTranslations, formats: Formats) -> str:
    if isinstance(value, Sentence | TonnageError):
        return translate(value, translations, formats)
    if isinstance(value, Count):
        template = translations.ngettext(value.one, value.many, value.count)
        return template.format(count=formats.number(value.count))
    return _formatted(value, formats)


def _formatted(value: object, formats: Formats) -> str:
    match value:
        case Size():
            return _size(value, formats)
        case Money():
            return formats.exact_money(value)
        case int() | Decimal():
            return formats.number(value)
        case datetime():
            return f"{formats.moment(value)} {formats.zone_of(value)}"
        case date():
            return formats.day(value)
        case _:
            return str(value)


def _size(size: Size, formats: Formats) -> str:
    """Short where that is exact: a sentence has nothing to hover over."""
    if size < 1000:
        return formats.exact_size(size)
    if parse_size(format_size(size)) == size:
        return formats.size(size)
    return f"{formats.size(size)} ({formats.exact_size(size)})"

"""How a seller makes its documents: what they are, how they look and are numbered, and when a month is frozen."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, cast

from pydantic.alias_generators import to_camel

from tonnage.billing_profiles.document_number import number_format
from tonnage.errors import FieldError, Invalid, Sentence
from tonnage.names import reordering_character

_COLOUR = re.compile(r"#[0-9a-f]{6}", re.ASCII)
_LOCALE = re.compile(r"[a-z]{2,3}(?:_[A-Z][a-z]{3})?_[A-Z]{2}", re.ASCII)
_UNPRINTABLE = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_LONGEST_FOOTER = 1000
_MOST_WARNINGS, _LONGEST_WARNING = 5, 60

STATEMENT, INVOICE = "statement", "invoice"
CARRIED, CREDIT_NOTE = "carried", "credit-note"


@dataclass(frozen=True)
class SellerSettings:
    """Those of a seller that has set nothing are the defaults."""

    document: str = STATEMENT
    """STATEMENT says that it is no invoice, for sellers whose own program writes the invoice; or INVOICE."""
    locale: str = "en_GB"
    """Of documents: language, numbers and dates."""
    colour: str = "#1f3a5f"
    footer: str = ""
    """Up to 1000 characters, in lines."""
    freeze_day: int = 3
    """Of the following month, UTC."""
    number_format: str = "INV-{year}-{number:05}"
    number_start: int = 1
    """The first number of the first series."""
    small_business: bool = False
    """Exempt from tax: the category of everything that it sells is E."""
    retention_years: int = 10
    """How long documents are kept."""
    negative_total: str = CARRIED
    """What happens to a total below zero: it is CARRIED to the next statement, or becomes a CREDIT_NOTE."""
    mail_documents: bool = False
    """Whether documents are mailed to their buyers when they have got their numbers."""
    suspend_overdue_days: int = 0
    """A distributor's partner is suspended when a statement has been overdue for so many days; 0: never."""
    suspension_warning_days: tuple[int, ...] = (7, 3, 1)
    """How many days before it is warned, descending."""

    def as_document(self) -> dict[str, Any]:
        """As in JSON."""
        return {SETTINGS[name]: value for name, value in asdict(self).items()}


SETTINGS: Mapping[str, str] = {field.name: to_camel(field.name) for field in fields(SellerSettings)}
"""The fields, and their names in JSON."""


def read_settings(document: Mapping[str, Any]) -> SellerSettings:
    """Settings from JSON; what is missing is the default. Raises Invalid, for all fields that are wrong at once."""
    wrong: dict[str, str] = {}
    found: dict[str, Any] = {}
    for name, key in SETTINGS.items():
        if document.get(key) is not None:
            try:
                found[name] = _RULES[name](document[key])
            except ValueError as error:
                wrong[key] = error.args[0]
    if wrong:
        raise Invalid.with_fields([FieldError(key, message) for key, message in wrong.items()])
    return SellerSettings(**found)


def changed(settings: SellerSettings, values: Mapping[str, Any]) -> SellerSettings:
    """The settings with other values in some of their fields, all of them checked. Raises Invalid."""
    return read_settings(replace(settings, **values).as_document())


def _text(value: Any) -> str:
    if type(value) is not str:
        raise ValueError(Sentence("must be text"))
    return value


def _one_of(*words: str) -> Callable[[Any], str]:
    def rule(value: Any) -> str:
        if value not in words:
            raise ValueError(Sentence("must be {expected}", expected=" or ".join(words)))
        return value

    return rule


def _whole(least: int, most: int) -> Callable[[Any], int]:
    def rule(value: Any) -> int:
        if type(value) is not int or not least <= value <= most:
            raise ValueError(Sentence("must be a whole number from {least} to {most}", least=least, most=most))
        return value

    return rule


def _locale(value: Any) -> str:
    # Which there are is known where they are chosen: wording/choices.py.
    if not _LOCALE.fullmatch(_text(value)):
        raise ValueError(Sentence("must be a language and a country, such as de_DE"))
    return value


def _colour(value: Any) -> str:
    text = _text(value).strip().lower()
    if not _COLOUR.fullmatch(text):
        raise ValueError(Sentence("must be a colour as # and six hexadecimal digits, such as #1f3a5f"))
    return text


def _footer(value: Any) -> str:
    text = "\n".join(line.rstrip() for line in _text(value).replace("\r\n", "\n").strip().split("\n"))
    if len(text) > _LONGEST_FOOTER:
        raise ValueError(Sentence("must have at most {max_length} characters", max_length=_LONGEST_FOOTER))
    if _UNPRINTABLE.search(text):
        raise ValueError(Sentence("must not contain control characters other than line breaks"))
    if character := reordering_character(text):
        raise ValueError(
            Sentence("must not contain U+{code}, which reverses the order of letters", code=f"{ord(character):04X}")
        )
    return text


def _number_format(value: Any) -> str:
    return number_format(_text(value))


def _flag(value: Any) -> bool:
    if type(value) is not bool:
        raise ValueError(Sentence("must be true or false"))
    return value


def _warning_days(value: Any) -> tuple[int, ...]:
    days: tuple[Any, ...] = tuple(cast("Sequence[Any]", value)) if isinstance(value, list | tuple) else ()
    if not 1 <= len(days) <= _MOST_WARNINGS or any(
        type(one) is not int or not 1 <= one <= _LONGEST_WARNING for one in days
    ):
        raise ValueError(
            Sentence(
                "must be 1 to {most} numbers of days, each 1 to {longest}, such as 7, 3, 1",
                most=_MOST_WARNINGS,
                longest=_LONGEST_WARNING,
            )
        )
    return tuple(sorted(set(days), reverse=True))


_RULES: Mapping[str, Callable[[Any], Any]] = {
    "document": _one_of(STATEMENT, INVOICE),
    "locale": _locale,
    "colour": _colour,
    "footer": _footer,
    "freeze_day": _whole(1, 28),
    "number_format": _number_format,
    "number_start": _whole(1, 10**9),
    "small_business": _flag,
    "retention_years": _whole(1, 50),
    "negative_total": _one_of(CARRIED, CREDIT_NOTE),
    "mail_documents": _flag,
    "suspend_overdue_days": _whole(0, 365),
    "suspension_warning_days": _warning_days,
}

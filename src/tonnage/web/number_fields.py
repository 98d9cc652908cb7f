"""Fields of forms with numbers: sizes with their unit, and plain decimals. How they are read is in number_text.py.

The validation context says how the reader's locale writes; the value of what is accepted does not depend on it.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, TypeAlias

from pydantic import BeforeValidator, ValidationInfo

from tonnage.errors import Sentence
from tonnage.units import MAX_CAPACITY, bytes_of
from tonnage.units import Size as Capacity
from tonnage.web.forms import whole_text
from tonnage.web.number_text import WITH_POINT, NumberFormat, echo, parse_number, written

UNITS = ("PB", "TB", "GB", "MB", "B")
"""Those of the picker beside a size."""

_LONGEST = 200
_MINUS = ("-", "\N{MINUS SIGN}", "\N{EN DASH}")
_UNIT = re.compile(r"[KMGTPE]?B", re.IGNORECASE)


def _format(info: ValidationInfo) -> NumberFormat:
    return info.context if isinstance(info.context, NumberFormat) else WITH_POINT


def _number(text: object, info: ValidationInfo) -> Decimal:
    if not str(text):
        raise ValueError("is required")
    return parse_number(str(text), _format(info))


Number: TypeAlias = Annotated[Decimal, BeforeValidator(_number)]
"""A number, 0 or more. A rule for it is an `AfterValidator`."""


def _signed_number(text: object, info: ValidationInfo) -> Decimal:
    given = str(text).strip()
    if given[:1] in _MINUS:
        return -_number(given[1:].strip(), info)
    return _number(given, info)


SignedNumber: TypeAlias = Annotated[Decimal, BeforeValidator(_signed_number)]
"""A number, below 0 too: with a minus before it."""


def _optional_number(text: object, info: ValidationInfo) -> Decimal | None:
    return _number(text, info) if str(text) else None


OptionalNumber: TypeAlias = Annotated[Decimal | None, BeforeValidator(_optional_number)]
"""A number, 0 or more, or nothing."""


def _optional_count(text: object, info: ValidationInfo) -> int | None:
    if not str(text):
        return None
    number = parse_number(str(text), _format(info))
    if number != int(number):
        raise ValueError("must be a whole number")
    return int(number)


OptionalCount: TypeAlias = Annotated[int | None, BeforeValidator(_optional_count)]
"""A whole number, 0 or more, or nothing."""


def _size(text: object, info: ValidationInfo) -> int:
    return parse_typed_size(str(text), _format(info))


Size: TypeAlias = Annotated[int, BeforeValidator(_size)]
"""Bytes, from a number and its unit."""


def parse_typed_size(text: str, reader: NumberFormat) -> int:
    """Bytes of `1,5 TB`, exactly. Raises ValueError with a Sentence that says what to write instead."""
    if len(text) > _LONGEST:
        raise ValueError(Sentence("must have at most {most} characters", most=_LONGEST))
    number, unit = _split(text.strip())
    if not number:
        raise ValueError("is required")
    if not unit:
        raise ValueError("must have a unit: B, KB, MB, GB, TB or PB")
    if _split(number)[1]:
        raise ValueError("must be the number alone: choose its unit beside it")
    size = bytes_of(parse_number(number, reader), unit)
    if size is None:
        raise ValueError(
            Sentence("{text} {unit} is not a whole number of bytes: write fewer decimals", text=echo(number), unit=unit)
        )
    if size > MAX_CAPACITY:
        raise ValueError(Sentence("must be at most {most}", most=Capacity(MAX_CAPACITY)))
    return size


def _split(text: str) -> tuple[str, str]:
    """The number and its unit, which may be missing."""
    for length in (2, 1):
        if _UNIT.fullmatch(text[-length:]):
            return text[:-length].rstrip(), text[-length:].upper()
    return text, ""


def typed_size(name: str, size: int, reader: NumberFormat = WITH_POINT) -> dict[str, str]:
    """The texts for the two fields of a size, exactly: the largest unit that needs no more than two decimals."""
    for unit, exponent in (("PB", 15), ("TB", 12), ("GB", 9), ("MB", 6)):
        amount = Decimal(size).scaleb(-exponent)
        if size and amount >= 1 and amount == round(amount, 2):
            return {name: written(amount, reader), f"{name}_unit": unit}
    return {name: str(size), f"{name}_unit": "B" if size else "TB"}


def size_in(name: str, fields: Mapping[str, str], reader: NumberFormat) -> int | None:
    """Bytes of what stands in the two fields of a size; None: no size, or not yet."""
    try:
        return parse_typed_size(whole_text(name, fields), reader)
    except ValueError:
        return None


def number_in(name: str, fields: Mapping[str, str], reader: NumberFormat) -> Decimal | None:
    """The number that stands in a field; None: none, or not yet."""
    try:
        return parse_number(fields.get(name, ""), reader)
    except ValueError:
        return None

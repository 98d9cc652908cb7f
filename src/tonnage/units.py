"""Formats and parses sizes in bytes. Decimal prefixes, as storage is sold: 1 TB = 10^12 B."""

import re
from decimal import Context, Decimal

MAX_CAPACITY = 2**63 - 1
"""The largest possible capacity: PostgreSQL's `bigint`."""

_PREFIXES = {"": 0, "K": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_SIZE = re.compile(r"(?P<number>\d{1,100}(?:\.\d{1,100})?)\s*(?P<unit>[KMGTPE]B?|B)?", re.IGNORECASE | re.ASCII)
_WITH_COMMA = re.compile(r"[\d.]{1,40},[\d.,]{1,40}\s*[KMGTPE]?B?", re.IGNORECASE | re.ASCII)
# As many digits as a text can have: in the usual context of 28, a fraction of a byte would be rounded away.
_EXACT = Context(prec=250)


def parse_size(text: str) -> int:
    """`5TB`, `2.5 GB`, `250mb` or `100000000000000B` in bytes; `0` needs no unit. The syntax is the same in every
    locale: a point before the decimals, and no groups of digits.

    Raises ValueError, with a message for users, for anything else: no unit, a fraction of a byte, a sign, more than
    2^63 - 1.
    """
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        if _WITH_COMMA.fullmatch(text.strip()):
            raise ValueError(
                f"{text!r} has a comma; write 1.5TB for one and a half, and 1500GB without a separator between groups"
            )
        raise ValueError(f"{text!r} is not a size; write a number with B, KB, MB, GB, TB or PB, such as 5TB")
    number, unit = match["number"], match["unit"]
    if unit is None and Decimal(number):
        raise ValueError(f"{text!r} has no unit; write {_with_unit(number)}")
    size = bytes_of(Decimal(number), unit or "B")
    if size is None:
        raise ValueError(f"{text!r} is not a whole number of bytes")
    if size > MAX_CAPACITY:
        raise ValueError(f"{text!r} is more than the largest capacity, {MAX_CAPACITY} bytes")
    return size


def bytes_of(number: Decimal, unit: str) -> int | None:
    """So many of the unit, such as `TB`, exactly; None: a fraction of a byte."""
    size = number.scaleb(_PREFIXES[unit.upper().removesuffix("B")], _EXACT)
    return int(size) if size == size.to_integral_value(context=_EXACT) else None


def _with_unit(number: str) -> str:
    """What a number without a unit can mean: bytes if it is long, else terabytes."""
    if len(number) > 6 and "." not in number:
        return f"{number}B for bytes"
    size = bytes_of(Decimal(number), "TB")
    return f"{number}TB" if size is None else f"{number}TB or {size}B"


def scaled(size: int | Decimal) -> tuple[Decimal, str]:
    """Number and unit: at most two decimals, truncated and not rounded up, so that a number never promises too much."""
    amount = Decimal(size)
    unit = "B"
    for prefix, exponent in reversed(_PREFIXES.items()):
        if prefix and abs(amount) >= Decimal(10) ** exponent:
            amount, unit = amount.scaleb(-exponent), f"{prefix}B"
            break
    return (int(amount * 100)) / Decimal(100), unit


def format_size(size: int | Decimal) -> str:
    """`53 TB`, `2.5 GB`: see `scaled`."""
    number, unit = scaled(size)
    return f"{number.normalize():f} {unit}"


def in_bytes(size: int | Decimal) -> str:
    """For messages with exact numbers: `47 TB (47000000000000 bytes)`, and only `12 bytes` below 1 KB."""
    exact = f"{int(size)} {'byte' if size == 1 else 'bytes'}"  # formatted as an int: a float's format would round it
    return exact if size < 1000 else f"{format_size(size)} ({exact})"


class Size(int):
    """Bytes in a message (see `errors.Sentence`): its text is that of `in_bytes`."""

    def __str__(self) -> str:
        return in_bytes(self)

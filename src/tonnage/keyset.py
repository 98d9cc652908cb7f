"""Keyset pagination: a page of a list begins after the key of a row, not after a number of rows.

The key of a row is its values in the columns that the list is sorted by. So a row that is inserted or deleted before
the page does not move the page. A cursor is a key as part of a URL.
"""

import math
import re
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import LiteralString, NamedTuple, TypeAlias
from uuid import UUID

Key: TypeAlias = tuple[str, ...]
"""The values of the sort columns, as PostgreSQL writes them as text."""

LONGEST_CURSOR = 4500
"""Characters. A name has at most 200 characters of up to four bytes, its key 600 of them."""


class SortColumn(NamedTuple):
    """An expression that a list is sorted by.

    It must not be null: comparing a key with null gives null, and the row would be on no page.
    """

    expression: LiteralString
    type: LiteralString
    """To which SQL casts the value of a key."""
    parse: Callable[[str], str]
    """The value of a key, as text that the type accepts. ValueError, OverflowError: it is none. A cursor may be forged,
    and the database must not refuse the statement."""


Sort: TypeAlias = tuple[SortColumn, ...]
"""Columns to sort by, most significant first; at most four. No two rows may be equal in all of them."""


def bigint(expression: LiteralString) -> SortColumn:
    """A whole number. An integer column is one too."""
    return SortColumn(expression, "bigint", _whole)


def numeric(expression: LiteralString) -> SortColumn:
    """An exact number, such as a sum of whole numbers."""
    return SortColumn(expression, "numeric", _exact)


def float8(expression: LiteralString) -> SortColumn:
    """A finite floating-point number."""
    return SortColumn(expression, "float8", _float)


def text(expression: LiteralString) -> SortColumn:
    """A text of the collation "C"."""
    return SortColumn(expression, "text", _text)


def timestamptz(expression: LiteralString) -> SortColumn:
    """A time, or infinity."""
    return SortColumn(expression, "timestamptz", _time)


def day(expression: LiteralString) -> SortColumn:
    """A day."""
    return SortColumn(expression, "date", _day)


def uuid(expression: LiteralString) -> SortColumn:
    """An id."""
    return SortColumn(expression, "uuid", _uuid)


def by_name(row: LiteralString, id_type: Callable[[LiteralString], SortColumn] = uuid) -> Sort:
    """The order of names: by key, then by name, then by id. `row` is the alias of a table that has these columns.

    An index of the keys is enough: PostgreSQL sorts the rows with equal keys.
    """
    return (text(f"{row}.name_key"), text(f'{row}.name collate "C"'), id_type(f"{row}.id"))


def write_cursor(key: Key) -> str:
    """The key for a URL. It contains nothing but values of the row that it belongs to."""
    return ".".join(urlsafe_b64encode(value.encode()).decode().rstrip("=") for value in key)


def read_cursor(sort: Sort, cursor: str) -> Key | None:
    """The key that a URL has; None if it is not a cursor of this sort. A forged cursor is a key, too: it only says
    where a page begins.
    """
    if len(cursor) > LONGEST_CURSOR:
        return None
    try:
        return tuple(column.parse(_decoded(part)) for column, part in zip(sort, cursor.split("."), strict=True))
    except (ValueError, OverflowError):
        return None


def _decoded(part: str) -> str:
    return b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True).decode()


def _matching(pattern: str, value: str) -> str:
    if not re.fullmatch(pattern, value, re.ASCII):
        raise ValueError(value)
    return value


def _whole(value: str) -> str:
    number = int(_matching(r"-?\d{1,19}", value))
    if not -(2**63) <= number < 2**63:
        raise ValueError(value)
    return str(number)


def _exact(value: str) -> str:
    return _matching(r"-?\d{1,40}(\.\d{1,40})?", value)


def _float(value: str) -> str:
    number = float(_matching(r"-?\d{1,20}(\.\d{1,20})?(e[+-]?\d{1,3})?", value))
    if not math.isfinite(number):
        raise ValueError(value)
    return repr(number)


def _text(value: str) -> str:
    if "\0" in value:
        raise ValueError(value)
    return value


def _uuid(value: str) -> str:
    return str(UUID(value))


def _day(value: str) -> str:
    return date.fromisoformat(_matching(r"\d{4}-\d{2}-\d{2}", value)).isoformat()


def _time(value: str) -> str:
    if value in {"infinity", "-infinity"}:
        return value
    # In UTC: PostgreSQL refuses some offsets that Python accepts.
    return datetime.fromisoformat(value).astimezone(UTC).isoformat()

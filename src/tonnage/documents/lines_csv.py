"""Statements and workings as CSV files. Columns are called as in JSON; numbers stay numbers."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from tonnage.web.csv_text import whole_file
from tonnage.web.number_text import WITH_POINT, NumberFormat

_LINE = (
    *("no", "product", "subject", "subjectName", "contract", "quantityGbMonths", "byteDays", "unitPrice", "amount"),
    *("currency", "from", "to", "reason", "creditedLine"),
)
_NUMBERS = frozenset({"quantityGbMonths", "unitPrice", "amount"})
_DAY = ("used", "capacity")


def statement_csv(statement: Mapping[str, Any], number_format: NumberFormat = WITH_POINT) -> bytes:
    """The lines, as `Statement.document` gives them."""
    rows = [_cells(line, statement["currency"]) for line in statement["lines"]]
    return whole_file([_LINE, *rows], number_format)


def working_csv(working: Mapping[str, Any], number_format: NumberFormat = WITH_POINT) -> bytes:
    """The days of a line, as `working_document` gives them, and in the last row the line itself: its row in the file of
    all lines. `byteDays` of a day is what is charged of it.
    """
    line, currency = working["line"], working["currency"]
    same = {name: line.get(name) for name in ("no", "product", "subject", "subjectName", "contract", "unitPrice")}
    days = [
        [
            *_cells({**same, "byteDays": day["quantity"], "from": day["day"], "to": day["day"]}, currency),
            *(day[name] for name in _DAY),
        ]
        for day in working["days"]
    ]
    return whole_file([[*_LINE, *_DAY], *days, [*_cells(line, currency), *("" for _ in _DAY)]], number_format)


def _cells(line: Mapping[str, Any], currency: str) -> list[object]:
    given = {**line, "currency": currency}
    return [_cell(name, given.get(name)) for name in _LINE]


def _cell(name: str, value: Any) -> object:
    if value is None:
        return ""
    return Decimal(value) if name in _NUMBERS else value

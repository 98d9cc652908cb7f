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
_NUMBERS = frozenset(
    {
        *("quantityGbMonths", "unitPrice", "amount", "percent", "base", "minimum", "required", "difference"),
        *("requiredGbMonths", "averageGb", "missingGbMonths", "totalGbMonths"),
    }
)
_DAY = ("used", "capacity")
_BASES = ("discount", "minimumCharge", "capacityMinimum", "band")
"""The members of a working that some lines have; at most one of them."""


def statement_csv(statement: Mapping[str, Any], number_format: NumberFormat = WITH_POINT) -> bytes:
    """The lines, as `Statement.document` gives them."""
    rows = [_cells(line, statement["currency"]) for line in statement["lines"]]
    return whole_file([_LINE, *rows], number_format)


def working_csv(working: Mapping[str, Any], number_format: NumberFormat = WITH_POINT) -> bytes:
    """The days of a line, as `working_document` gives them, and in the last row the line itself: its row in the file of
    all lines. `byteDays` of a day is what is charged of it.

    What the line is computed from besides days stands in a row before the last, in columns of its own, and the lines of
    which it is a sum in rows before that one.
    """
    line, currency = working["line"], working["currency"]
    same = {name: line.get(name) for name in ("no", "product", "subject", "subjectName", "contract", "unitPrice")}
    found = _basis_of(working)
    basis = {name: value for name, value in found.items() if name not in {"lines", "unitPrice"}}
    if basis:
        basis["daysOfMonth"] = working["daysOfMonth"]
    blank = ["" for _ in (*_DAY, *basis)]
    rows = [[*_cells(one, currency), *blank] for one in found.get("lines", ())]
    for day in working["days"]:
        cells = _cells({**same, "byteDays": day["quantity"], "from": day["day"], "to": day["day"]}, currency)
        rows.append([*cells, *(day[name] for name in _DAY), *("" for _ in basis)])
    if basis:
        about = _cells({**same, "from": line["from"], "to": line["to"]}, currency)
        rows.append([*about, *("" for _ in _DAY), *(_cell(name, value) for name, value in basis.items())])
    return whole_file([[*_LINE, *_DAY, *basis], *rows, [*_cells(line, currency), *blank]], number_format)


def _basis_of(working: Mapping[str, Any]) -> Mapping[str, Any]:
    none: Mapping[str, Any] = {}
    return next((working[name] for name in _BASES if working.get(name)), none)


def _cells(line: Mapping[str, Any], currency: str) -> list[object]:
    given = {**line, "currency": currency}
    return [_cell(name, given.get(name)) for name in _LINE]


def _cell(name: str, value: Any) -> object:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return Decimal(value) if name in _NUMBERS else value

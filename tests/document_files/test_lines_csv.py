"""The CSV files of a statement and of a line's working."""

import csv
from decimal import Decimal
from typing import Any

from tests.document_files.papers import extra, line, paper
from tonnage.documents.lines_csv import statement_csv, working_csv
from tonnage.web.number_text import NumberFormat

_EXCESS = line(1, "50.00", "=cmd()", byteDays=2**63 * 31)
_PAPER = paper(
    _EXCESS, extra(2, "discount", "-5.00"), extra(3, "adjustment", "-1.00", reason="Goodwill, agreed", creditedLine=2)
)


def _rows(file: bytes, delimiter: str = ",") -> list[dict[str, str]]:
    assert file.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(file.decode("utf-8-sig").splitlines(), delimiter=delimiter))


def test_lines_round_trip() -> None:
    rows = _rows(statement_csv(_PAPER))
    for row, given in zip(rows, _PAPER["lines"], strict=True):
        assert row.pop("currency") == "EUR"
        assert row.pop("subjectName").lstrip("'") == given["subjectName"]
        assert {name: text for name, text in row.items() if text} == {
            name: str(value) for name, value in given.items() if value is not None and name != "subjectName"
        }
    assert sum(Decimal(row["amount"]) for row in rows) == Decimal(_PAPER["net"])


def test_negative_amounts_are_numbers_and_formulas_are_none() -> None:
    first, discount, _ = _rows(statement_csv(_PAPER))
    assert first["subjectName"] == "'=cmd()"
    assert discount["amount"] == "-5.00"


def test_numbers_have_the_readers_decimal_mark() -> None:
    row = _rows(statement_csv(_PAPER, NumberFormat(",")), ";")[0]
    assert (row["amount"], row["unitPrice"], row["byteDays"]) == ("50,00", "0,69", str(2**63 * 31))


def test_the_last_row_of_a_working_is_the_line() -> None:
    charged = line(1, "3.45", byteDays=15_000_000_000_000)
    days = [
        {"day": f"2026-11-{day:02}", "used": 1_500_000_000_000, "capacity": 10**12, "quantity": 500_000_000_000}
        for day in range(1, 31)
    ]
    working: dict[str, Any] = {"line": charged, "currency": "EUR", "daysOfMonth": 30, "days": days}
    *found, last = _rows(working_csv(working))
    (in_statement,) = _rows(statement_csv(paper(charged)))
    assert {name: last[name] for name in in_statement} == in_statement
    assert sum(int(row["byteDays"]) for row in found) == int(last["byteDays"])
    assert [(row["from"], row["to"], row["used"], row["capacity"]) for row in found] == [
        (day["day"], day["day"], str(day["used"]), str(day["capacity"])) for day in days
    ]


def test_a_line_without_days_is_its_working() -> None:
    discount = extra(2, "discount", "-5.00")
    (row,) = _rows(working_csv({"line": discount, "currency": "EUR", "daysOfMonth": 30, "days": []}))
    assert (row["product"], row["amount"], row["used"]) == ("discount", "-5.00", "")

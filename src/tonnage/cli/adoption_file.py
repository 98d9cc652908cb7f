"""The file of `tonnage storage adopt-file`: a line for each user of a cluster."""

import csv
import io
from typing import Any, BinaryIO, NamedTuple
from uuid import UUID

import click

from tonnage.cli.param_types import EMAIL, NAME, SIZE
from tonnage.cli.param_types import UUID as UUID_TYPE

REQUIRED = ("user", "partner", "name", "email", "allocated")
_OPTIONAL = "overdraft"
_YES = {"yes": True, "no": False, "": False}
_LONGEST = 10_000_000
"""Bytes; some 100,000 users."""


class AdoptionLine(NamedTuple):
    """A user that is to become a storage account."""

    line: int
    user: str
    partner_id: UUID
    name: str
    email: str
    allocated: int
    overdraft: bool


def adoption_lines(file: BinaryIO) -> list[AdoptionLine]:
    """The lines of a CSV file in UTF-8 with a header. Raises click.UsageError that names every wrong line."""
    reader = csv.DictReader(io.StringIO(_text(file), newline=""), strict=True)
    columns = set(reader.fieldnames or ())
    if not set(REQUIRED) <= columns <= {*REQUIRED, _OPTIONAL}:
        raise click.UsageError(
            f"The first line must name the columns {', '.join(REQUIRED)} and, if you like, {_OPTIONAL}, separated by "
            "commas."
        )
    found: list[AdoptionLine] = []
    wrong: list[str] = []
    first_lines: dict[str, int] = {}
    try:
        for row in reader:
            line = reader.line_num
            try:
                one = _line(line, row)
            except (click.BadParameter, ValueError) as error:
                wrong.append(f"Line {line}: {error}")
                continue
            if first_lines.setdefault(one.user, line) != line:
                wrong.append(f"Line {line}: the user {one.user} is on line {first_lines[one.user]} already")
            found.append(one)
    except csv.Error as error:
        wrong.append(f"Line {reader.line_num}: {error}")
    if wrong:
        raise click.UsageError("\n".join(wrong))
    return found


def _text(file: BinaryIO) -> str:
    content = file.read(_LONGEST + 1)
    if len(content) > _LONGEST:
        raise click.UsageError(f"The file is longer than {_LONGEST} bytes. Split it.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise click.UsageError("The file is not UTF-8 text. Save it as CSV UTF-8.") from error


def _line(line: int, row: dict[Any, Any]) -> AdoptionLine:
    if None in row or None in row.values():
        raise ValueError("it has another number of columns than the first line")
    if not row["user"]:
        raise ValueError("the user is missing")
    overdraft = row.get(_OPTIONAL, "").strip().lower()
    if overdraft not in _YES:
        raise ValueError("overdraft must be yes or no")
    return AdoptionLine(
        line,
        row["user"],
        UUID_TYPE.convert(row["partner"].strip(), None, None),
        NAME.convert(row["name"], None, None),
        EMAIL.convert(row["email"], None, None),
        SIZE.convert(row["allocated"].strip(), None, None),
        _YES[overdraft],
    )

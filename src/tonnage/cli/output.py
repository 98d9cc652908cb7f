"""What commands print: JSON documents as they are for scripts, tables for people."""

import errno
import json
import os
import sys
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, TextIO

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tonnage.units import format_size

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")
"""Gives a command the flag `--json`, as the argument `as_json`."""

_UNLIMITED = 100_000

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}


@dataclass(frozen=True)
class PrintedColumn:
    """A column of a table: its title, and the field of the document that it shows."""

    title: str
    field: str
    form: Callable[[Any], str] = str
    align: Literal["left", "right"] = "left"


ALLOCATED_COLUMN = PrintedColumn(
    "Allocated", "allocatedCapacity", lambda size: format_size(size) if size else "Pay-per-use", align="right"
)
OVERDRAFT_COLUMN = PrintedColumn("Overdraft", "allowOverdraft", lambda allowed: "yes" if allowed else "no")


@contextmanager
def printed() -> Generator[None]:
    """Around a command that prints: any text can be printed, and a full disk gives an error message.

    Raises click.ClickException for that. A pipe whose reader has left it leaves to click, which then ends in silence.
    """
    # None if the parent process has closed it.
    stdout: TextIO | None = sys.stdout
    reconfigure = getattr(stdout, "reconfigure", None)
    if reconfigure is not None:
        # A locale such as C knows ASCII alone, and names come from everywhere.
        reconfigure(errors="backslashreplace")
    try:
        yield
        if stdout is not None:
            stdout.flush()
    except OSError as error:
        # An error of a file that was opened by its name has that name.
        if stdout is None or error.errno not in _FULL or error.filename is not None:
            raise
        # What is left in the buffer would be tried, and complained about, once more when the process ends.
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), stdout.fileno())
        raise click.ClickException(f"The output could not be written: {error.strerror}.") from error


size_column = partial(PrintedColumn, form=format_size, align="right")
"""A column whose field is bytes."""


def show_list(documents: Iterable[bytes], columns: Sequence[PrintedColumn], *, as_json: bool) -> None:
    """Prints JSON documents as an array, or as a table; fields that a document lacks are empty."""
    if as_json:
        click.echo(b"[" + b",".join(documents) + b"]")
        return
    _console().print(_table([json.loads(document) for document in documents], columns))


def show_one(document: bytes, columns: Sequence[PrintedColumn], *, as_json: bool) -> None:
    """Prints one JSON document as it is, or a line per field."""
    if as_json:
        click.echo(document)
        return
    found = json.loads(document)
    grid = Table.grid(padding=(0, 2))
    for column in columns:
        if found.get(column.field) is not None:
            grid.add_row(Text(column.title), Text(column.form(found[column.field])))
    _console().print(grid)


def _table(documents: Sequence[dict[str, Any]], columns: Sequence[PrintedColumn]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(column.title, justify=column.align, no_wrap=not sys.stdout.isatty(), overflow="fold")
    for document in documents:
        values = [document.get(column.field) for column in columns]
        # As Text, since rich would take a name such as [bold] for its markup.
        cells = ["" if value is None else column.form(value) for column, value in zip(columns, values, strict=True)]
        table.add_row(*[Text(cell) for cell in cells])
    return table


def _console() -> Console:
    # Without a terminal rich takes 80 columns and wraps; a pipe has no width.
    return Console(width=None if sys.stdout.isatty() else _UNLIMITED, highlight=False, soft_wrap=False)

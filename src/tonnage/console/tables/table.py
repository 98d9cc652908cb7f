"""Lists as tables on pages and as CSV files, both from one declaration of their columns.

A list of another kind of thing is a `Table` in a file of its own beside this one, and a template with a macro for each
column. Its page gives `PARTNERS_TABLE.paged(...)` to its template, where the macro `listing` of `components/table.html`
draws it; its file is `PARTNERS_TABLE.file(...)`.
"""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Concatenate, ParamSpec, TypeAlias

from tonnage.access.actor import Kind
from tonnage.console.page_request import PageRequest
from tonnage.console.rendering import gettext
from tonnage.console.wording.formatting import Formats
from tonnage.db import Connection
from tonnage.lists import ListState, PageOf
from tonnage.web.csv_file import CsvFile

P = ParamSpec("P")

FileRows: TypeAlias = Callable[Concatenate[Connection, P], AsyncGenerator[Any]]
"""All rows of a file, read on a connection of their own."""


@dataclass(frozen=True)
class TableColumn:
    """A column of the page, if it has a `heading`; of the file, if it has a `file` heading; or of both."""

    name: str
    """On the page, of the macro that draws a cell: `name(row, table)`. In the file, of the row's attribute."""
    heading: str = ""
    css: str = ""
    """Classes of its cells: `number` is aligned to the right, `optional` is left out on a narrow screen."""
    sort: str = ""
    """Its name in the list's `ListSpec.sorts`, if the list can be sorted by it."""
    file: str = ""
    only: Kind | None = None
    """The audience that sees it; None is everybody."""
    needs_values: bool = False
    """Whether it is left out where no row of the page has a value."""


@dataclass(frozen=True)
class Table:
    """A kind of list. All texts are marked with `N_`."""

    title: str
    label: str
    """For screen readers."""
    columns: Sequence[TableColumn]
    cells: str
    """The template with the macros of the columns."""
    search: str = ""
    """What the field for a search says, in a list that is searched, filtered, sorted and paged."""
    filters: Mapping[str, str] = field(default_factory=dict[str, str])
    """Texts by their names in `ListSpec.filters`."""
    no_match: str = ""
    """The heading where a search or a filter finds nothing."""
    file_name: str = ""

    def paged(
        self,
        page: PageRequest,
        path: str,
        found: PageOf[Any],
        state: ListState,
        *,
        row_path: str | None,
        **context: object,
    ) -> "TablePage":
        """One page of the list, for a template. `path` is the list's; its file has it too, with `.csv` at its end.

        `row_path`: what the paths of the rows' pages begin with; None, if the reader may not open them. `context`: what
        cells need beside their row.
        """
        shown = state.within(found.total)
        columns = [
            column
            for column in _seen_by(page, self.columns)
            if column.heading and (_has_values(column, found.rows) or state.sort == column.sort)
        ]
        return TablePage(self, columns, found.rows, found.total, shown, path, row_path, context)

    def whole(self, page: PageRequest, path: str, rows: Sequence[Any], *, row_path: str | None) -> "TablePage":
        """The same of all rows, in the order that they are in."""
        columns = [column for column in _seen_by(page, self.columns) if column.heading]
        return TablePage(self, columns, rows, len(rows), None, path, row_path, {})

    def file(
        self,
        page: PageRequest,
        rows: FileRows[P],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> CsvFile:
        """All rows of the list: what `rows` gives with these arguments."""
        return csv_file(page, self.file_name, self.columns, rows, *args, **kwargs)


@dataclass(frozen=True)
class TablePage:
    """A page of a list, as templates draw it."""

    table: Table
    columns: Sequence[TableColumn]
    rows: Sequence[Any]
    total: int
    state: ListState | None
    """None: the page has all rows, in one order."""
    path: str
    row_path: str | None
    context: Mapping[str, Any]


def csv_file(
    page: PageRequest, name: str, columns: Sequence[TableColumn], rows: FileRows[P], *args: P.args, **kwargs: P.kwargs
) -> CsvFile:
    """The columns that the reader's audience sees. Sizes are bytes; a moment is the day where the reader lives."""
    exported = [column for column in _seen_by(page, columns) if column.file]

    async def lines(conn: Connection) -> AsyncGenerator[Sequence[object]]:
        async with aclosing(rows(conn, *args, **kwargs)) as found:
            async for row in found:
                yield [_exported(getattr(row, column.name), page.formats) for column in exported]

    header = [gettext(column.file) for column in exported]
    return CsvFile(page.database.streams, page.actor.organisation_id, name, header, lines)


def _seen_by(page: PageRequest, columns: Sequence[TableColumn]) -> list[TableColumn]:
    return [column for column in columns if column.only in {None, page.actor.kind}]


def _has_values(column: TableColumn, rows: Sequence[Any]) -> bool:
    return not column.needs_values or any(getattr(row, column.name) is not None for row in rows)


def _exported(value: object, formats: Formats) -> object:
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    return formats.date_of(value) if isinstance(value, datetime) else value

"""Lists as tables on pages and as CSV files, both from one declaration of their columns.

A list of another kind of thing is a `Table` in a file of its own beside this one, and a template with the macros of
those columns that are more than a value. Its page gives `PARTNERS_TABLE.paged(...)` to its template, which draws it
with the macro `listing` of `components/table.html`; its file is `PARTNERS_TABLE.file(...)`.
"""

from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from operator import attrgetter
from typing import Any, Concatenate, NamedTuple, ParamSpec, TypeAlias

from tonnage.access.actor import Kind
from tonnage.console.page_request import PageRequest
from tonnage.console.rendering import gettext, macro
from tonnage.db import Connection
from tonnage.lists import ListState, PageOf
from tonnage.web.csv_file import CsvFile
from tonnage.wording.catalogue import N_
from tonnage.wording.formatting import Formats

P = ParamSpec("P")

FileRows: TypeAlias = Callable[Concatenate[Connection, P], AsyncGenerator[Any]]
"""All rows of a file, read on a connection of their own."""


@dataclass(frozen=True)
class Column:
    """A column of the page, if it has a `heading`; of the file, if it has a `file` heading; or of both."""

    name: str
    """The row's attribute, which the file has as it is."""
    heading: str = ""
    """A text that is marked with `N_`, as `file` is."""
    css: str = ""
    """Classes of its cells: `number` is aligned to the right, `optional` is left out on a narrow screen."""
    sort: str = ""
    """Its name in the list's `ListSpec.sorts`, if the list can be sorted by it."""
    file: str = ""
    show: Callable[[Any], object] | None = None
    """How the page writes the attribute; None: by the macro of the column's name, which gets the row and the list."""
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
    columns: Sequence[Column]
    cells: str
    """The template with the macros of columns."""
    search: str = ""
    """What the field for a search says, in a list that is searched, filtered, sorted and paged."""
    filters: Mapping[str, str] = field(default_factory=dict[str, str])
    """Texts by their names in `ListSpec.filters`."""
    unfiltered: str = N_("All")
    """The text of the list without a filter."""
    no_match: str = ""
    """The heading where a search or a filter finds nothing."""
    file_name: str = ""

    def of_month(self, page: PageRequest, first: date) -> "Table":
        """The same with a month in the headings of fees: as `Nov 2026` on a page, as `2026-11` in a file."""
        on_page, in_file = page.formats.short_month(first), f"{first:%Y-%m}"
        columns = [
            replace(one, heading=_with_month(one.heading, on_page), file=_with_month(one.file, in_file))
            for one in self.columns
        ]
        return replace(self, columns=columns)

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
        columns = [
            column
            for column in _seen_by(page, self.columns)
            if column.heading and (_has_values(column, found.rows) or state.sort == column.sort)
        ]
        return TablePage(self, columns, found, state, path, row_path, context)

    def whole(self, page: PageRequest, path: str, rows: Sequence[Any], *, row_path: str | None) -> "TablePage":
        """The same of all rows, in the order that they are in."""
        columns = [column for column in _seen_by(page, self.columns) if column.heading]
        return TablePage(self, columns, PageOf(list(rows), len(rows), 0, None, None), None, path, row_path, {})

    async def file(
        self,
        page: PageRequest,
        rows: FileRows[P],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> CsvFile:
        """All rows of the list: what `rows` gives with these arguments."""
        return await csv_file(page, self.file_name, self.columns, rows, *args, **kwargs)


class Cell(NamedTuple):
    """A cell on a page."""

    css: str
    content: object


@dataclass(frozen=True)
class TablePage:
    """A page of a list, as templates draw it."""

    table: Table
    columns: Sequence[Column]
    found: PageOf[Any]
    state: ListState | None
    """None: the page has all rows, in one order."""
    path: str
    row_path: str | None
    context: Mapping[str, Any]

    @property
    def rows(self) -> Sequence[Any]:
        """The rows of the page."""
        return self.found.rows

    def drawn(self) -> Iterator[list[Cell]]:
        """The cells of each row."""
        drawings = [(column.css, _drawing(column, self.table.cells)) for column in self.columns]
        for row in self.rows:
            yield [Cell(css, draw(row, self)) for css, draw in drawings]


async def csv_file(
    page: PageRequest, name: str, columns: Sequence[Column], rows: FileRows[P], *args: P.args, **kwargs: P.kwargs
) -> CsvFile:
    """The columns that the reader's audience sees. Sizes are bytes; a moment is the day where the reader lives. The
    export is recorded.
    """
    exported = [column for column in _seen_by(page, columns) if column.file]

    async def lines(conn: Connection) -> AsyncGenerator[Sequence[object]]:
        async with aclosing(rows(conn, *args, **kwargs)) as found:
            async for row in found:
                yield [_exported(getattr(row, column.name), page.formats) for column in exported]

    header = [gettext(column.file) for column in exported]
    reader = page.formats.number_format
    await page.record_export(name)
    return CsvFile(page.database.streams, page.actor.organisation_id, name, header, lines, reader)


def _with_month(heading: str, month: str) -> str:
    # Translated here: the text with a month in it is in no catalogue, and stays as it is when it is translated again.
    return gettext(heading) % {"month": month} if "%(month)s" in heading else heading


def _drawing(column: Column, template: str) -> Callable[[Any, TablePage], object]:
    show = column.show
    if show is None:
        return macro(template, column.name)
    value_of = attrgetter(column.name)
    return lambda row, _: show(value_of(row))


def _seen_by(page: PageRequest, columns: Sequence[Column]) -> list[Column]:
    return [column for column in columns if column.only in {None, page.actor.kind}]


def _has_values(column: Column, rows: Sequence[Any]) -> bool:
    return not column.needs_values or any(getattr(row, column.name) is not None for row in rows)


def _exported(value: object, formats: Formats) -> object:
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    return formats.date_of(value) if isinstance(value, datetime) else value

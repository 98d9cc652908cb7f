"""The SQL of lists with search, filters, sorting and paging.

A list declares its sort orders and filters once (`ListSpec`). A request asks for a part of it (`ListState`, which
web/list_state.py reads from a URL). The list's statement has a CTE `found`; this module adds the counting, the order
and the page.

Pages are found by key (keyset.py). A reader who follows the links from page to page sees every row exactly once that
keeps its place in the list, even if other rows are inserted, deleted or changed meanwhile. A row whose sort value
changes between two pages, such as its usage in a list by usage, moves in the list, and may be seen twice or never.
"""

from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any, Generic, LiteralString, NamedTuple, TypeVar

from tonnage.keyset import Key, Sort, SortColumn
from tonnage.names import name_key

T = TypeVar("T")


@dataclass(frozen=True)
class ListSpec:
    """The sorts, filters and sizes of a list. The first of `sorts` and of `sizes` is the default."""

    sorts: Mapping[str, Sort]
    filters: Sequence[str] = ()
    descending_by_default: frozenset[str] = frozenset()
    """Sorts that begin with the greatest value, such as amounts."""
    sizes: Sequence[int] = (50, 25, 100, 250)
    """Rows on a page."""
    preserve: Sequence[str] = ()
    """Other query parameters of the list's page, which the links of the list carry along."""


class Position(NamedTuple):
    """Where a page is: after the row with the key, or before it. Without a key it is the first or the last page."""

    key: Key | None = None
    is_before: bool = False


FIRST_PAGE = Position()
LAST_PAGE = Position(is_before=True)


@dataclass(frozen=True)
class ListState:
    """The requested part of a list. `filter` '' is all rows."""

    spec: ListSpec
    search: str
    filter: str
    sort: str
    descending: bool
    size: int | None
    """Rows on a page; None: all rows, for a file."""
    position: Position = FIRST_PAGE
    preserved: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def sort_columns(self) -> Sort:
        """The columns of the requested sort."""
        return self.spec.sorts[self.sort]

    @property
    def whole(self) -> "ListState":
        """All rows of the same list."""
        return replace(self, position=FIRST_PAGE, size=None)

    @property
    def reversed(self) -> "ListState":
        """The same in the opposite order."""
        return replace(self, descending=not self.descending)


class PageOf(NamedTuple, Generic[T]):
    """A page of a list, with the numbers of rows in the list at the same moment."""

    rows: list[T]
    total: int
    preceding: int
    """Rows before the page."""
    first_key: Key | None
    last_key: Key | None
    """The keys of its first and its last row; None without rows."""

    @property
    def following(self) -> int:
        """Rows after the page."""
        return self.total - self.preceding - len(self.rows)


_NAMES: tuple[LiteralString, ...] = ("sort_1", "sort_2", "sort_3", "sort_4")
_KEYS: tuple[LiteralString, ...] = ("key_1", "key_2", "key_3", "key_4")


def sort_columns(sort: Sort) -> LiteralString:
    """The columns of `found` that `page_order` orders by."""
    return ", ".join([f"{column.expression} as {name}" for column, name in _named(sort)])


def page_order(state: ListState, sort: Sort) -> LiteralString:
    """The expressions after ORDER BY, for rows of `chosen`: their sort columns in the requested direction."""
    return ", ".join([name + " desc" if state.descending else name for _, name in _named(sort)])


def page_columns(state: ListState, sort: Sort) -> LiteralString:
    """The columns that come first, for rows of `counted` and `chosen`: two numbers of rows, and the row's key."""
    texts = ", ".join([f"{name}::text" for _, name in _named(sort)])
    return f"n, skipped, array[{texts}]" if state.size else "n, skipped, null"


def page_ctes(state: ListState, sort: Sort, counted: LiteralString = "found") -> LiteralString:
    """CTEs after one called `found`: `counted (n, skipped)`, and `chosen`, the rows of the page in no order. `counted`:
    what has as many rows as `found` and is cheaper, where none are skipped.

    `skipped` is the number of rows that the position excludes. If it excludes all, because the rows beyond its key were
    deleted, `chosen` has the last page, or the first one.
    """
    key, is_before = state.position
    if key is None:
        skipped, chosen = "0::bigint", _last_page(state, sort) if is_before else _first_page(state, sort)
    else:
        counted = "found"
        beyond = _beyond(state, sort)
        skipped = f"count(*) filter (where not ({beyond}))"
        nothing = "(select n = skipped from counted)"
        chosen = (
            f"{_first_page(state.reversed, sort, beyond)} union all {_first_page(state, sort, nothing)}"
            if is_before
            else f"{_first_page(state, sort, beyond)} union all {_last_page(state, sort, nothing)}"
        )
    return f"""
        counted as materialized (
            select count(*) as n, {skipped} as skipped from {counted}
        ), chosen as (
            {chosen}
        )"""


def _first_page(state: ListState, sort: Sort, condition: LiteralString = "true") -> LiteralString:
    return f"(select * from found where {condition} order by {page_order(state, sort)} limit %(size)s::bigint)"


def _last_page(state: ListState, sort: Sort, condition: LiteralString = "true") -> LiteralString:
    """As many rows as the last page has if every other page is full.

    The inner limit is a number that the planner knows, so it reads an index from its end.
    """
    return f"""
        (select * from {_first_page(state.reversed, sort, condition)} l order by {page_order(state.reversed, sort)}
         limit (select mod(greatest(n, 1) - 1, %(size)s::bigint) + 1 from counted))"""


def _beyond(state: ListState, sort: Sort) -> LiteralString:
    """Whether a row of `found` comes after the key of the position, or before it."""
    columns = ", ".join([name for _, name in _named(sort)])
    key = ", ".join([f"%({name})s::{column.type}" for column, name in zip(sort, _KEYS[: len(sort)], strict=True)])
    return f"({columns}) {'<' if state.descending != state.position.is_before else '>'} ({key})"


def page_params(state: ListState) -> dict[str, object]:
    """The parameters of `page_ctes`, and the key of the search text."""
    key = dict(zip(_KEYS, state.position.key or (), strict=False))
    return {"search_key": name_key(state.search), "size": state.size, **key}


def page_of(rows: Iterable[Sequence[Any]], state: ListState, make: Callable[..., T]) -> PageOf[T]:
    """Makes a page from rows that begin with `page_columns`. A list without any rows still has one, whose other columns
    are null.
    """
    found = list(rows)
    total, skipped = found[0][:2] if found else (0, 0)
    found = [row for row in found if row[3] is not None]
    preceding = max(total - skipped - len(found), 0) if state.position.is_before else min(skipped, total - len(found))
    keys = [tuple(row[2]) for row in found if row[2]]
    first_key, last_key = (keys[0], keys[-1]) if keys else (None, None)
    return PageOf([make(*row[3:]) for row in found], total, preceding, first_key, last_key)


async def each(rows: AsyncGenerator[Sequence[Any]], make: Callable[..., T]) -> AsyncGenerator[T]:
    """Makes elements from the same rows, as they arrive."""
    async with aclosing(rows):
        async for row in rows:
            if row[3] is not None:
                yield make(*row[3:])


def _named(sort: Sort) -> list[tuple[SortColumn, LiteralString]]:
    return list(zip(sort, _NAMES[: len(sort)], strict=True))

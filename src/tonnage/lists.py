"""The SQL of lists with search, filters, sorting and paging.

A list declares its columns and filters once (`ListSpec`). A request asks for a part of it (`ListState`, which
web/list_state.py reads from a URL). The list's statement has a CTE `found`; this module adds the counting, the order
and the page.
"""

from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any, Generic, LiteralString, NamedTuple, TypeAlias, TypeVar

from tonnage.names import name_key

T = TypeVar("T")

Sort: TypeAlias = tuple[LiteralString, ...]
"""Expressions to order by, most significant first; at most four. No two rows may be equal in all of them."""


@dataclass(frozen=True)
class ListSpec:
    """The sorts, filters and sizes of a list. The first of `sorts` and of `sizes` is the default."""

    sorts: Sequence[str]
    filters: Sequence[str] = ()
    descending_by_default: frozenset[str] = frozenset()
    """Sorts that begin with the greatest value, such as amounts."""
    sizes: Sequence[int] = (50, 25, 100, 250)
    """Rows on a page."""
    preserve: Sequence[str] = ()
    """Other query parameters of the list's page, which the links of the list carry along."""


@dataclass(frozen=True)
class ListState:
    """The requested part of a list. `filter` '' is all rows."""

    spec: ListSpec
    search: str
    filter: str
    sort: str
    descending: bool
    page: int
    size: int
    preserved: Mapping[str, str] = field(default_factory=dict[str, str])

    def within(self, total: int) -> "ListState":
        """The same, with the page limited to those that a list of `total` rows has: a page after the last one is the
        last one.
        """
        return replace(self, page=min(self.page, self.pages(total)))

    def pages(self, total: int) -> int:
        """How many pages `total` rows need; at least one."""
        return max(1, -(-total // self.size))

    @property
    def reversed(self) -> "ListState":
        """The same in the opposite order."""
        return replace(self, descending=not self.descending)

    @property
    def offset(self) -> int:
        """Rows before the page."""
        return (self.page - 1) * self.size


class PageOf(NamedTuple, Generic[T]):
    """A page of a list, and how many rows all of its pages have."""

    rows: list[T]
    total: int


def by_name(row: LiteralString) -> Sort:
    """The order of names: by key, then by name, then by id. `row` is the alias of a table that has these columns.

    An index of the keys is enough: PostgreSQL sorts the rows with equal keys.
    """
    return (f"{row}.name_key", f'{row}.name collate "C"', f"{row}.id")


# A list's statement counts the rows it finds as `counted (n)`, and selects its page with this. A page after the last
# one is the last one, because rows may be deleted between two requests. Without a `size` it is all rows.
ON_PAGE: LiteralString = """
    limit %(size)s::bigint
    offset (
        select least(%(offset)s::bigint, (greatest(n, 1) - 1) / %(size)s::bigint * %(size)s::bigint) from counted)"""

_SORT_COLUMNS: tuple[LiteralString, ...] = ("sort_1", "sort_2", "sort_3", "sort_4")


def sort_columns(sort: Sort) -> LiteralString:
    """The columns of `found` that `page_order` orders by."""
    return ", ".join([f"{expression} as {column}" for expression, column in zip(sort, _columns(sort), strict=True)])


def page_order(state: ListState, sort: Sort) -> LiteralString:
    """The expressions after ORDER BY, for rows of `found`: their sort columns in the requested direction."""
    return ", ".join([column + " desc" if state.descending else column for column in _columns(sort)])


def page_ctes(state: ListState, sort: Sort) -> LiteralString:
    """CTEs after one called `found`: `counted (n)`, and `chosen`, the rows of ON_PAGE in no order.

    The second half of a list is read from its end. So the last page costs the same as the first one; otherwise the
    whole list would have to be sorted.
    """
    return f"""
        counted as materialized (
            select count(*) as n from found
        ), place as materialized (
            select start, start > n / 2 as is_far, n - start as rest,
                greatest(n - start - %(size)s::bigint, 0) as behind
            from counted cross join lateral (
                select least(%(offset)s::bigint, (greatest(n, 1) - 1) / %(size)s::bigint * %(size)s::bigint) as start
            ) p
        ), chosen as (
            (select * from found where not (select is_far from place)
             order by {page_order(state, sort)} limit %(size)s::bigint offset (select start from place))
            union all
            (select * from found where (select is_far from place)
             order by {page_order(state.reversed, sort)}
             limit (select rest - behind from place) offset (select behind from place))
        )"""


def page_params(state: ListState) -> dict[str, object]:
    """The parameters of ON_PAGE and of `page_ctes`, and the key of the search text."""
    return {"search_key": name_key(state.search), "size": state.size, "offset": state.offset}


def all_params(state: ListState) -> dict[str, object]:
    """The same for all pages at once."""
    return {"search_key": name_key(state.search), "size": None, "offset": 0}


def page_of(rows: Iterable[Sequence[Any]], make: Callable[..., T]) -> PageOf[T]:
    """Makes a page from rows that begin with the total. A list without any rows still has one, whose second column is
    null.
    """
    found = list(rows)
    return PageOf([make(*row[1:]) for row in found if row[1] is not None], found[0][0] if found else 0)


async def each(rows: AsyncGenerator[Sequence[Any]], make: Callable[..., T]) -> AsyncGenerator[T]:
    """Makes elements from the same rows, as they arrive."""
    async with aclosing(rows):
        async for row in rows:
            if row[1] is not None:
                yield make(*row[1:])


def _columns(sort: Sort) -> tuple[LiteralString, ...]:
    return _SORT_COLUMNS[: len(sort)]

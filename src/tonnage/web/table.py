"""Lists that people look at: what of one is wanted, as its URL says it.

Pure: a list's columns and filters are declared once (`Choices`), a request's query is read against them (`read`), and
every other view of the list is a change of what is wanted, written back as a query (`url`).
"""

from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any, Generic, LiteralString, NamedTuple, TypeVar
from urllib.parse import urlencode

LONGEST_SEARCH = 200
"""Characters; names are no longer."""

_LAST_PAGE = 1_000_000
"""Nobody pages further; the query goes to the last page there is."""

T = TypeVar("T")


@dataclass(frozen=True)
class Choices:
    """What may be asked of a list. The first of `sorts` and of `sizes` is the usual one."""

    sorts: Sequence[str]
    filters: Sequence[str] = ()
    falling: frozenset[str] = frozenset()
    """Sorts that begin with the greatest, as one wants to see amounts."""
    sizes: Sequence[int] = (50, 25, 100, 250)
    """Rows on a page."""
    keeps: Sequence[str] = ()
    """Other parameters of the page that the list is on, which its links must not lose."""

    def read(self, query: Mapping[str, str]) -> "Wanted":
        """What a query wants. Lenient: links are typed, cut and old, so what is unknown is the usual instead."""
        sort, _, direction = query.get("sort", "").partition(".")
        if sort not in self.sorts:
            sort, direction = self.sorts[0], ""
        show = query.get("show", "")
        size = _number(query.get("size", ""))
        return Wanted(
            choices=self,
            search=query.get("q", "").replace("\0", "").strip()[:LONGEST_SEARCH].rstrip(),
            filter=show if show in self.filters else "",
            sort=sort,
            descending=direction == "desc" if direction in {"asc", "desc"} else sort in self.falling,
            page=min(max(1, _number(query.get("page", ""))), _LAST_PAGE),
            size=size if size in self.sizes else self.sizes[0],
            kept={key: query[key].replace("\0", "") for key in self.keeps if query.get(key)},
        )


@dataclass(frozen=True)
class Wanted:
    """What of a list is wanted. `filter` is '' for all."""

    choices: Choices
    search: str
    filter: str
    sort: str
    descending: bool
    page: int
    size: int
    kept: Mapping[str, str] = field(default_factory=dict[str, str])

    def url(self, **changes: Any) -> str:
        """The query string of this list with other values of its fields: `?q=acme&sort=used.asc&page=3`, or `?`.

        What is usual is left out. Another search, filter, order or size begins at the first page.
        """
        if "page" not in changes:
            changes["page"] = 1
        other = replace(self, **changes)
        return f"?{urlencode(other.parameters)}"

    @property
    def parameters(self) -> dict[str, str]:
        """The query as its parameters, for a form's hidden fields: without what is usual."""
        choices = self.choices
        as_usual = self.descending == (self.sort in choices.falling)
        direction = "" if as_usual else ".desc" if self.descending else ".asc"
        said = {
            "q": self.search,
            "show": self.filter,
            "sort": "" if as_usual and self.sort == choices.sorts[0] else self.sort + direction,
            "size": "" if self.size == choices.sizes[0] else str(self.size),
            "page": "" if self.page == 1 else str(self.page),
        }
        return {**self.kept, **{name: value for name, value in said.items() if value}}

    def by(self, sort: str) -> str:
        """The query string of a column's heading: sorted by it, or the other way round when it is already."""
        descending = not self.descending if sort == self.sort else sort in self.choices.falling
        return self.url(sort=sort, descending=descending)

    def within(self, total: int) -> "Wanted":
        """The same with the page that a list of so many rows shows: behind the last one, that is the last one."""
        return replace(self, page=min(self.page, self.pages(total)))

    def pages(self, total: int) -> int:
        """How many pages so many rows make; at least one."""
        return max(1, -(-total // self.size))

    @property
    def turned(self) -> "Wanted":
        """The same from the other end."""
        return replace(self, descending=not self.descending)

    @property
    def offset(self) -> int:
        """Rows before the page."""
        return (self.page - 1) * self.size


class Listed(NamedTuple, Generic[T]):
    """A page of a list, and how many rows all of its pages have."""

    rows: list[T]
    total: int


# A list's statement counts what it finds as `counted (n)`, and picks its page by this. A page behind the last one is
# the last one: rows go away while people look. Without a `size` it is all rows.
ON_PAGE: LiteralString = """
    limit %(size)s::bigint
    offset (
        select least(%(offset)s::bigint, (greatest(n, 1) - 1) / %(size)s::bigint * %(size)s::bigint) from counted)"""


def picked(wanted: Wanted, *keys: LiteralString) -> LiteralString:
    """CTEs behind one called `found`: `counted (n)`, and `chosen`, the rows of ON_PAGE in no order.

    `keys` as for `in_order`, without a table before them. The second half of a list is looked for from its end: so the
    last page costs what the first one does, where a whole list would have to be put in order else.
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
             order by {in_order(wanted, *keys)} limit %(size)s::bigint offset (select start from place))
            union all
            (select * from found where (select is_far from place)
             order by {in_order(wanted.turned, *keys)}
             limit (select rest - behind from place) offset (select behind from place))
        )"""


def on_page(wanted: Wanted) -> dict[str, object]:
    """The parameters of ON_PAGE, and the words searched for."""
    return {"search": wanted.search, "size": wanted.size, "offset": wanted.offset}


def whole(wanted: Wanted) -> dict[str, object]:
    """The same for all pages at once."""
    return {"search": wanted.search, "size": None, "offset": 0}


def in_order(wanted: Wanted, *keys: LiteralString) -> LiteralString:
    """What stands behind ORDER BY: `keys` in the wanted direction. No two rows may be equal in the last one."""
    return ", ".join([key + " desc" if wanted.descending else key for key in keys])


def listed(rows: Iterable[Sequence[Any]], make: Callable[..., T]) -> Listed[T]:
    """Of rows that begin with the number of all: a list without any still has one, whose next column is null."""
    found = list(rows)
    return Listed([make(*row[1:]) for row in found if row[1] is not None], found[0][0] if found else 0)


async def each(rows: AsyncGenerator[Sequence[Any]], make: Callable[..., T]) -> AsyncGenerator[T]:
    """Of the same rows, while they come."""
    async with aclosing(rows):
        async for row in rows:
            if row[1] is not None:
                yield make(*row[1:])


def _number(text: str) -> int:
    return int(text) if len(text) <= 9 and text.isascii() and text.isdigit() else 0

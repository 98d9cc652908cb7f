"""The state of a list in its URL: page, order, search and filter. Read from a query, and written back as one.

Every other view of a list (another page, order or filter) is a link with a changed state. A page is `after` or `before`
the cursor of a row, or `page=last`. Page numbers, which older links have, are ignored: the first page is shown.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple
from urllib.parse import urlencode

from tonnage.keyset import read_cursor, write_cursor
from tonnage.lists import FIRST_PAGE, LAST_PAGE, ListSpec, ListState, PageOf, Position

LONGEST_SEARCH = 200
"""Characters; names are no longer than this."""


def read_list_state(spec: ListSpec, query: Mapping[str, str]) -> ListState:
    """The state that a query describes. Lenient, since links are typed, truncated and old: unknown values become the
    default.
    """
    sort, _, direction = query.get("sort", "").partition(".")
    if sort not in spec.sorts:
        sort, direction = next(iter(spec.sorts)), ""
    show = query.get("show", "")
    size = _number(query.get("size", ""))
    return ListState(
        spec=spec,
        search=query.get("q", "").replace("\0", "").strip()[:LONGEST_SEARCH].rstrip(),
        filter=show if show in spec.filters else "",
        sort=sort,
        descending=direction == "desc" if direction in {"asc", "desc"} else sort in spec.descending_by_default,
        size=size if size in spec.sizes else spec.sizes[0],
        position=_position(spec, sort, query),
        preserved={key: query[key].replace("\0", "") for key in spec.preserve if query.get(key)},
    )


def list_url(state: ListState, **changes: Any) -> str:
    """The query string of the list with other values of its fields: `?q=acme&sort=used.asc&page=last`, or `?`.

    Defaults are left out. Another search, filter, order or size begins at the first page.
    """
    changed = replace(state, **{"position": FIRST_PAGE, **changes})
    return f"?{urlencode({**list_parameters(changed), **_page_parameters(changed)})}"


def list_parameters(state: ListState) -> dict[str, str]:
    """The query as its parameters, for a form's hidden fields: without the page, and without defaults."""
    spec = state.spec
    is_default = state.descending == (state.sort in spec.descending_by_default)
    direction = "" if is_default else ".desc" if state.descending else ".asc"
    parameters = {
        "q": state.search,
        "show": state.filter,
        "sort": "" if is_default and state.sort == next(iter(spec.sorts)) else state.sort + direction,
        "size": "" if state.size == spec.sizes[0] else str(state.size),
    }
    return {**state.preserved, **{name: value for name, value in parameters.items() if value}}


class PageLinks(NamedTuple):
    """The query strings of a list's other pages; None for a page that is shown, or that there is not."""

    first: str | None
    previous: str | None
    next: str | None
    last: str | None


def page_links(state: ListState, found: PageOf[Any]) -> PageLinks:
    """The links of a page. The first and the last page have none where they are the previous or the next one."""
    size = state.size or found.total
    return PageLinks(
        list_url(state) if found.preceding > size else None,
        list_url(state, position=Position(found.first_key, is_before=True)) if found.preceding else None,
        list_url(state, position=Position(found.last_key)) if found.following else None,
        list_url(state, position=LAST_PAGE) if found.following > size else None,
    )


def sort_url(state: ListState, sort: str) -> str:
    """The query string of a column's heading: sorted by that column, or in the opposite order if it already is."""
    descending = not state.descending if sort == state.sort else sort in state.spec.descending_by_default
    return list_url(state, sort=sort, descending=descending)


def _position(spec: ListSpec, sort: str, query: Mapping[str, str]) -> Position:
    for name, is_before in (("after", False), ("before", True)):
        key = read_cursor(spec.sorts[sort], query[name]) if query.get(name) else None
        if key is not None:
            return Position(key, is_before)
    return LAST_PAGE if query.get("page") == "last" else FIRST_PAGE


def _page_parameters(state: ListState) -> dict[str, str]:
    key, is_before = state.position
    if key is None:
        return {"page": "last"} if is_before else {}
    return {"before" if is_before else "after": write_cursor(key)}


def _number(text: str) -> int:
    return int(text) if len(text) <= 9 and text.isascii() and text.isdigit() else 0

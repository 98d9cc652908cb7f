"""The state of a list in its URL: page, order, search and filter. Read from a query, and written back as one.

Every other view of a list (another page, order or filter) is a link with a changed state.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from tonnage.lists import ListSpec, ListState

LONGEST_SEARCH = 200
"""Characters; names are no longer than this."""

_LAST_PAGE = 1_000_000
"""Greater numbers are reduced to this; the query then returns the last page there is."""


def read_list_state(spec: ListSpec, query: Mapping[str, str]) -> ListState:
    """The state that a query describes. Lenient, since links are typed, truncated and old: unknown values become the
    default.
    """
    sort, _, direction = query.get("sort", "").partition(".")
    if sort not in spec.sorts:
        sort, direction = spec.sorts[0], ""
    show = query.get("show", "")
    size = _number(query.get("size", ""))
    return ListState(
        spec=spec,
        search=query.get("q", "").replace("\0", "").strip()[:LONGEST_SEARCH].rstrip(),
        filter=show if show in spec.filters else "",
        sort=sort,
        descending=direction == "desc" if direction in {"asc", "desc"} else sort in spec.descending_by_default,
        page=min(max(1, _number(query.get("page", ""))), _LAST_PAGE),
        size=size if size in spec.sizes else spec.sizes[0],
        preserved={key: query[key].replace("\0", "") for key in spec.preserve if query.get(key)},
    )


def list_url(state: ListState, **changes: Any) -> str:
    """The query string of the list with other values of its fields: `?q=acme&sort=used.asc&page=3`, or `?`.

    Defaults are left out. Another search, filter, order or size begins at the first page.
    """
    if "page" not in changes:
        changes["page"] = 1
    return f"?{urlencode(list_parameters(replace(state, **changes)))}"


def list_parameters(state: ListState) -> dict[str, str]:
    """The query as its parameters, for a form's hidden fields: without defaults."""
    spec = state.spec
    is_default = state.descending == (state.sort in spec.descending_by_default)
    direction = "" if is_default else ".desc" if state.descending else ".asc"
    parameters = {
        "q": state.search,
        "show": state.filter,
        "sort": "" if is_default and state.sort == spec.sorts[0] else state.sort + direction,
        "size": "" if state.size == spec.sizes[0] else str(state.size),
        "page": "" if state.page == 1 else str(state.page),
    }
    return {**state.preserved, **{name: value for name, value in parameters.items() if value}}


def sort_url(state: ListState, sort: str) -> str:
    """The query string of a column's heading: sorted by that column, or in the opposite order if it already is."""
    descending = not state.descending if sort == state.sort else sort in state.spec.descending_by_default
    return list_url(state, sort=sort, descending=descending)


def _number(text: str) -> int:
    return int(text) if len(text) <= 9 and text.isascii() and text.isdigit() else 0

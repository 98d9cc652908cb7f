"""Walks through the pages of a console list by its links, as a reader does."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

from tonnage.lists import ListState, PageOf
from tonnage.web.list_state import page_links, read_list_state

Ask = Callable[[ListState], Awaitable[PageOf[Any]]]
"""Reads a page."""


async def walk(state: ListState, ask: Ask, *, backwards: bool = False) -> AsyncGenerator[PageOf[Any]]:
    """The page of the state, then those behind its links to the next page, or to the previous one."""
    beyond: ListState | None = state
    while beyond is not None:
        found = await ask(beyond)
        yield found
        beyond = follow(beyond, found, backwards=backwards)


def follow(state: ListState, found: PageOf[Any], *, backwards: bool = False) -> ListState | None:
    """What the link to the next page leads to, or that to the previous one; None without a link."""
    links = page_links(state, found)
    url = links.previous if backwards else links.next
    if url is None:
        return None
    # Here a page may be smaller than a URL can say.
    query = dict(parse_qsl(url.removeprefix("?"), keep_blank_values=True))
    return replace(read_list_state(state.spec, query), size=state.size)

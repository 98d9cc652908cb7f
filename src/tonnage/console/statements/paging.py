"""Pages of a list without a total, found by the keys of its rows."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, NamedTuple, Protocol, TypeVar

from tonnage.keyset import Key
from tonnage.lists import FIRST_PAGE, LAST_PAGE, Position

AT_ONCE = 50


class Keyed(Protocol):
    """A row that knows where it stands in its list."""

    @property
    def key(self) -> Key:
        """See keyset.py."""
        ...


T = TypeVar("T", bound=Keyed)


class ListPage(NamedTuple, Generic[T]):
    """Rows, and the positions of those before and after them, if there are any."""

    rows: Sequence[T]
    before: Position | None
    after: Position | None


async def list_page(read: Callable[[Position, int], Awaitable[Sequence[T]]], position: Position) -> ListPage[T]:
    """`read` gives the first rows after a position, or the last ones before it, up to a number.

    One row more than the page has shows whether there are more in its direction. In the other direction is the row that
    the page continues.
    """
    found = await read(position, AT_ONCE + 1)
    if not found and position.key is not None:  # nothing is left there
        position = FIRST_PAGE if position.is_before else LAST_PAGE
        found = await read(position, AT_ONCE + 1)
    if not found:
        return ListPage([], None, None)
    more, continues = len(found) > AT_ONCE, position.key is not None
    rows = found[-AT_ONCE:] if position.is_before else found[:AT_ONCE]
    has_before, has_after = (more, continues) if position.is_before else (continues, more)
    before, after = Position(rows[0].key, is_before=True), Position(rows[-1].key)
    return ListPage(rows, before if has_before else None, after if has_after else None)

"""The pages of every list of the console, while rows come and go."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.cast import Cast
from tests.console.list_cases import CASES, ListCase, declared_lists
from tests.list_pages import walk
from tonnage.lists import LAST_PAGE, ListSpec, ListState, Position
from tonnage.web.list_state import read_list_state

pytestmark = [pytest.mark.anyio, pytest.mark.oldest_postgresql]

Make = Callable[[Cast], Awaitable[ListCase]]
every_list = pytest.mark.parametrize(("spec", "make"), CASES, ids=[make.__name__ for _, make in CASES])

FORGED = {
    "bigint": ("9223372036854775807", "-9223372036854775808", "0"),
    "numeric": ("9" * 40 + "." + "9" * 40, "-0.0"),
    "float8": ("1e308", "1e-320", "-0.0", "9" * 20),
    "text": ("", "\x01", "\uffff", "' or true --", "%s", "x" * 1000),
    "timestamptz": ("infinity", "-infinity", "0001-01-01T00:00+00:00", "9999-12-31T23:59:59.999999+00:00"),
    "date": ("infinity", "-infinity", "0001-01-01", "9999-12-31"),
    "uuid": ("00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"),
}
"""Values at the limits of each type, which a cursor may have."""


def test_every_declared_list_is_tested() -> None:
    tested = [id(spec.sorts) for spec, _ in CASES]
    untested = [name for name, spec in declared_lists().items() if id(spec.sorts) not in tested]
    assert untested == ["tonnage.console.styleguide._LISTED"]


def whole(case: ListCase, spec: ListSpec, **query: str) -> ListState:
    return replace(read_list_state(spec, case.query | query), size=None)


async def ids(case: ListCase, state: ListState) -> list[Any]:
    return [row.id for row in (await case.read(state)).rows]


@every_list
async def test_rows_that_stay_are_seen_once(cast: Cast, spec: ListSpec, make: Make) -> None:
    case = await make(cast)
    for sort in spec.sorts:
        for backwards in (False, True):
            state = whole(case, spec, sort=f"{sort}.desc")
            while len(await ids(case, state)) < 9:
                await case.add()
            rows = await ids(case, state)
            stay, go = rows[::2] + rows[-1:], rows[1:-1:2]
            begin = replace(state, size=2 + len(rows) // 5, position=LAST_PAGE if backwards else state.position)
            seen: list[Any] = []
            async for found in walk(begin, case.read, backwards=backwards):
                shown = [row.id for row in found.rows]
                order = await ids(case, state)
                assert order[found.preceding : found.preceding + len(shown)] == shown
                assert found.total == len(order)
                seen += shown
                edge = shown[0 if backwards else -1]
                if case.remove and edge in go:  # the row whose key the link has
                    await case.remove(edge)
                elif case.remove and (left := [one for one in go if one in order]):
                    await case.remove(left[0 if backwards else -1])
                if len(seen) < len(rows):
                    await case.add()
            counts = {row: seen.count(row) for row in stay}
            assert set(counts.values()) == {1}, (sort, backwards, counts)


@every_list
async def test_forged_cursors_are_places_in_the_list(cast: Cast, spec: ListSpec, make: Make) -> None:
    case = await make(cast)
    for _ in range(3):
        await case.add()
    for sort, columns in spec.sorts.items():
        state = whole(case, spec, sort=sort)
        rows = await ids(case, state)
        for number in range(6):
            key = tuple(FORGED[column.type][number % len(FORGED[column.type])] for column in columns)
            for is_before in (False, True):
                found = await case.read(replace(state, size=50, position=Position(key, is_before)))
                assert found.total == len(rows)
                shown = [row.id for row in found.rows]
                assert shown == rows[found.preceding :][: len(shown)]
                assert shown

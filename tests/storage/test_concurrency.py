"""When work on many accounts goes on, and when it is the cluster that is away. They are taken in no order."""

import asyncio

import pytest

from tonnage.errors import Unavailable
from tonnage.storage.concurrency import BatchResult, for_each_concurrently
from tonnage.storage.errors import BackendRefused, Misconfigured, NotProvisioned

pytestmark = pytest.mark.anyio

AWAY = Unavailable("away")


class Work:
    """Raises what is said for an item; notes what was begun, and how many were under way at the most."""

    def __init__(self, errors: dict[int, Exception] | None = None) -> None:
        self.errors = errors or {}
        self.begun: list[int] = []
        self.under_way = self.most = 0

    async def __call__(self, item: int) -> int:
        self.begun.append(item)
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        await asyncio.sleep(0)
        self.under_way -= 1
        if error := self.errors.get(item):
            raise error
        return -item


class Played:
    """Raises what is said for the first call, the second and so on, whatever the items; they end as they begin."""

    def __init__(self, *errors: Exception | None) -> None:
        self.errors = errors
        self.begun = 0

    async def __call__(self, item: int) -> None:
        error = self.errors[self.begun]
        self.begun += 1
        await asyncio.sleep(0)
        if error:
            raise error

    async def outcome(self, at_once: int) -> BatchResult[int, None]:
        return await for_each_concurrently(range(len(self.errors)), self, at_once)


async def outcome(work: Work, items: int, at_once: int) -> BatchResult[int, int]:
    return await for_each_concurrently(range(items), work, at_once)


async def test_each_is_done_once_and_so_many_at_a_time() -> None:
    work = Work()
    found = await outcome(work, 20, 4)
    assert (sorted(found.done), found.failed, found.stopped) == ([(i, -i) for i in range(20)], [], None)
    assert (sorted(work.begun), work.most) == (list(range(20)), 4)


async def test_as_many_in_a_row_as_run_at_a_time_and_nothing_more_is_begun() -> None:
    # However they come, 95 with 5 others among them have 4 in a row.
    work = Work(dict.fromkeys(range(5, 100), AWAY))
    found = await outcome(work, 100, 4)
    assert (found.stopped, found.away) == (AWAY, AWAY)
    assert len(work.begun) == len(found.done) + len(found.failed) < 100


async def test_fewer_than_that_in_a_row_stop_nothing() -> None:
    work = Work(dict.fromkeys(range(15), AWAY))
    found = await outcome(work, 100, 16)
    assert (found.stopped, found.away, len(work.begun), len(found.done)) == (None, AWAY, 100, 85)


@pytest.mark.parametrize("answer", [None, NotProvisioned("x"), BackendRefused("no", "No")])
async def test_one_answer_ends_the_row(answer: Exception | None) -> None:
    """Three in a row, time and again, are no four: however many fail in all."""
    played = Played(*[AWAY, AWAY, AWAY, answer] * 10)
    found = await played.outcome(4)
    assert (found.stopped, played.begun) == (None, 40)
    assert found.away is AWAY


@pytest.mark.parametrize("before", [0, 1, 5])
async def test_the_row_that_stops_it(before: int) -> None:
    played = Played(*[None] * before, *[AWAY] * 4, *[None] * 40)
    found = await played.outcome(4)
    assert found.stopped is AWAY
    # The other three had begun with the next ones already.
    assert played.begun == before + 4 + 3


@pytest.mark.parametrize("answer", [NotProvisioned("x"), BackendRefused("no", "No")])
async def test_who_refuses_is_there(answer: Exception) -> None:
    work = Work(dict.fromkeys(range(60), answer))
    found = await outcome(work, 60, 4)
    assert (found.stopped, len(found.failed)) == (None, 60)


async def test_what_the_operator_must_mend_ends_it_at_once() -> None:
    work = Work(dict.fromkeys(range(100), Misconfigured("secret")))
    found = await outcome(work, 100, 4)
    assert (str(found.stopped), len(work.begun) <= 4 + 3) == ("secret", True)


async def test_a_few_that_always_fail_do_not_stand_before_the_others_for_ever() -> None:
    """4 in a row stop it; in the order of their ids the first 4 would each time."""
    done: set[int] = set()
    for _ in range(200):
        found = await outcome(Work(dict.fromkeys(range(4), AWAY)), 40, 4)
        done |= {item for item, _ in found.done}
    assert done == set(range(4, 40))


async def test_another_error_is_raised_as_it_is() -> None:
    """Whoever decides whether to try again looks at its kind."""
    with pytest.raises(KeyError):
        await outcome(Work({3: KeyError("x")}), 10, 2)

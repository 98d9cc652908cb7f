"""When work on many accounts continues, and when the cluster is taken to be unreachable. The order is random."""

import asyncio

import pytest

from tonnage.error_codes import UnavailableCode
from tonnage.errors import Unavailable
from tonnage.storage.concurrency import BatchResult, for_each_concurrently
from tonnage.storage.errors import BackendRefused, Misconfigured, NotProvisioned

pytestmark = pytest.mark.anyio

UNREACHABLE = Unavailable("away", UnavailableCode.CLUSTER_UNAVAILABLE)


class Work:
    """Raises the given error of an item; records the items begun, and the greatest number under way."""

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


class ScriptedWork:
    """Raises the given errors call by call, independent of the items, which end in the order in which they begin."""

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


async def test_each_item_is_done_once_with_bounded_concurrency() -> None:
    work = Work()
    found = await outcome(work, 20, 4)
    assert (sorted(found.done), found.failed, found.stopped) == ([(i, -i) for i in range(20)], [], None)
    assert (sorted(work.begun), work.most) == (list(range(20)), 4)


async def test_as_many_consecutive_failures_as_workers_stop_the_run() -> None:
    # In any order: 95 failures among 100 contain 4 in a row.
    work = Work(dict.fromkeys(range(5, 100), UNREACHABLE))
    found = await outcome(work, 100, 4)
    assert (found.stopped, found.away) == (UNREACHABLE, UNREACHABLE)
    assert len(work.begun) == len(found.done) + len(found.failed) < 100


async def test_fewer_consecutive_failures_do_not_stop_the_run() -> None:
    work = Work(dict.fromkeys(range(15), UNREACHABLE))
    found = await outcome(work, 100, 16)
    assert (found.stopped, found.away, len(work.begun), len(found.done)) == (None, UNREACHABLE, 100, 85)


@pytest.mark.parametrize("answer", [None, NotProvisioned("x"), BackendRefused("no", "No")])
async def test_one_answer_resets_the_count(answer: Exception | None) -> None:
    """Three failures in a row are not four, however often they repeat."""
    scripted = ScriptedWork(*[UNREACHABLE, UNREACHABLE, UNREACHABLE, answer] * 10)
    found = await scripted.outcome(4)
    assert (found.stopped, scripted.begun) == (None, 40)
    assert found.away is UNREACHABLE


@pytest.mark.parametrize("before", [0, 1, 5])
async def test_the_run_stops_at_the_last_consecutive_failure(before: int) -> None:
    scripted = ScriptedWork(*[None] * before, *[UNREACHABLE] * 4, *[None] * 40)
    found = await scripted.outcome(4)
    assert found.stopped is UNREACHABLE
    # The other three had already begun the next ones.
    assert scripted.begun == before + 4 + 3


@pytest.mark.parametrize("answer", [NotProvisioned("x"), BackendRefused("no", "No")])
async def test_refusals_do_not_count_as_unreachable(answer: Exception) -> None:
    work = Work(dict.fromkeys(range(60), answer))
    found = await outcome(work, 60, 4)
    assert (found.stopped, len(found.failed)) == (None, 60)


async def test_a_misconfiguration_stops_the_run_at_once() -> None:
    work = Work(dict.fromkeys(range(100), Misconfigured("secret")))
    found = await outcome(work, 100, 4)
    assert (str(found.stopped), len(work.begun) <= 4 + 3) == ("secret", True)


async def test_items_that_always_fail_do_not_starve_the_others() -> None:
    """Four in a row end a run: in order of their ids the first four would end each run."""
    done: set[int] = set()
    for _ in range(200):
        found = await outcome(Work(dict.fromkeys(range(4), UNREACHABLE)), 40, 4)
        done |= {item for item, _ in found.done}
    assert done == set(range(4, 40))


async def test_other_errors_are_raised_unchanged() -> None:
    """The caller decides by the error's type whether to retry."""
    with pytest.raises(KeyError):
        await outcome(Work({3: KeyError("x")}), 10, 2)

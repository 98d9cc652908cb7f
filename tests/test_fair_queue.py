"""Slots are given in turn by owner, and none is lost when a waiter is cancelled."""

import asyncio

import pytest

from tonnage.fair_queue import FairQueue

pytestmark = pytest.mark.anyio


async def settled() -> None:
    """Until every task has run as far as it can."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_a_long_queue_of_one_owner_delays_another_by_one_turn() -> None:
    queue, order = FairQueue(1), list[str]()

    async def work(owner: str) -> None:
        async with queue.slot(owner):
            order.append(owner)
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as tasks:
        for owner in ["many"] * 20 + ["one", "other"]:
            tasks.create_task(work(owner))
    assert order[:4] == ["many", "many", "one", "other"]
    assert order[4:] == ["many"] * 18


async def test_no_more_than_the_slots_are_held() -> None:
    queue = FairQueue(2)
    held = most = 0

    async def work(owner: int) -> None:
        nonlocal held, most
        async with queue.slot(owner):
            held += 1
            most = max(most, held)
            await asyncio.sleep(0)
            held -= 1

    await asyncio.gather(*(work(owner % 5) for owner in range(50)))
    assert most == 2


@pytest.mark.parametrize("given_first", [False, True])
async def test_a_waiter_that_is_cancelled_loses_no_slot(given_first: bool) -> None:
    queue, ending = FairQueue(1), asyncio.Event()

    async def hold() -> None:
        async with queue.slot("holder"):
            await ending.wait()

    async def wait(owner: str) -> str:
        async with queue.slot(owner):
            return owner

    holder = asyncio.create_task(hold())
    await settled()
    cancelled, patient = asyncio.create_task(wait("a")), asyncio.create_task(wait("b"))
    await settled()
    if given_first:
        # The holder releases and the waiter is cancelled in the same step of the loop.
        ending.set()
        await asyncio.sleep(0)
    cancelled.cancel()
    ending.set()
    async with asyncio.timeout(10):
        await holder
        assert await patient == "b"
        async with queue.slot("c"):
            pass
    await asyncio.wait([cancelled])


async def test_a_slot_passes_over_a_waiter_that_was_just_cancelled() -> None:
    queue = FairQueue(1)

    async def wait(owner: str) -> str:
        async with queue.slot(owner):
            return owner

    async with queue.slot("holder"):
        cancelled, patient = asyncio.create_task(wait("a")), asyncio.create_task(wait("b"))
        await settled()
        cancelled.cancel()  # it does not run before the slot is free
    async with asyncio.timeout(10):
        assert await patient == "b"
    await asyncio.wait([cancelled])

"""A cancellation that a library swallows, or turns into an error of the database, still ends the task."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable

import psycopg
import pytest

from tonnage.db import Connection, Database, connect

pytestmark = pytest.mark.anyio


@pytest.fixture
async def small(conninfo: str) -> AsyncGenerator[Database]:
    """A pool of one connection, so that one that is not given back would be missed."""
    async with connect(conninfo, size=1, streams=1) as database:
        yield database


async def swallowed(_conn: Connection, began: asyncio.Event) -> str:
    began.set()
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        return "went on"
    return "was not cancelled"


async def turned_into_an_error(_conn: Connection, began: asyncio.Event) -> str:
    began.set()
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError as cancelled:
        raise psycopg.OperationalError("sending query failed") from cancelled
    return "was not cancelled"


async def one(conn: Connection) -> int:
    return (await (await conn.execute("select 1")).fetchone() or (0,))[0]


@pytest.mark.parametrize("work", [swallowed, turned_into_an_error])
async def test_the_task_ends_and_its_connection_is_given_back(
    small: Database, work: Callable[[Connection, asyncio.Event], Awaitable[str]]
) -> None:
    began = asyncio.Event()
    task = asyncio.create_task(small.run(work, began))
    await began.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await small.run(one) == 1


async def test_statements_that_clean_up_after_a_cancellation_still_run(small: Database) -> None:
    async def work() -> int:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            return await small.run(one)
        return 0

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    task.cancel()
    assert await task == 1

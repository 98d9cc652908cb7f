"""The number of the connections for statements that one organisation may hold."""

import asyncio
from collections.abc import Hashable

import pytest
from psycopg_pool import PoolTimeout

from tests.db.statements import pid
from tonnage.db import Connection, Database, connect, connect_for_jobs, one_row
from tonnage.db.connection_limits import BUSY, FULL, count_for
from tonnage.db.deadlines import WaitLimit, limited, wait_limit
from tonnage.errors import Unavailable

pytestmark = pytest.mark.anyio


class Holders:
    """Statements that hold their connections until `release`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._end = asyncio.Event()
        self._changed = asyncio.Condition()
        self.of: dict[Hashable, int] = {}
        self.tasks: list[asyncio.Task[None]] = []

    def start(self, owner: Hashable, number: int, seconds: float = 60) -> None:
        for _ in range(number):
            with limited(WaitLimit(seconds, together=True, owner=owner)):
                self.tasks.append(asyncio.create_task(self._database.run(self._hold, owner)))

    async def _hold(self, conn: Connection, owner: Hashable) -> None:
        async with self._changed:
            self.of[owner] = self.of.get(owner, 0) + 1
            self._changed.notify_all()
        await self._end.wait()

    async def until(self, number: int) -> None:
        """Until so many hold a connection."""
        async with asyncio.timeout(60), self._changed:
            await self._changed.wait_for(lambda: sum(self.of.values()) >= number)

    def release(self) -> None:
        self._end.set()


async def ask(database: Database, owner: Hashable) -> None:
    with limited(WaitLimit(60, together=True, owner=owner)):
        await database.run(pid)


async def test_one_organisation_has_three_of_eight(database: Database) -> None:
    holders = Holders(database)
    holders.start("slow", 20)
    await holders.until(3)
    for owner in ["other", None, *map(str, range(20))]:
        await ask(database, owner)
    assert holders.of == {"slow": 3}
    holders.release()
    await asyncio.gather(*holders.tasks)
    assert holders.of == {"slow": 20}
    assert database.limits.owners == 0


async def test_a_connection_is_left_to_look_up_who_asks(database: Database) -> None:
    holders = Holders(database)
    for owner in ("first", "second", "third"):
        holders.start(owner, 10)
    await holders.until(7)
    for _ in range(20):
        await ask(database, None)
    assert sum(holders.of.values()) == 7
    holders.release()
    await asyncio.gather(*holders.tasks)
    assert database.limits.owners == 0


async def test_who_waits_in_vain_or_leaves_takes_nothing_along(database: Database) -> None:
    holders = Holders(database)
    holders.start("slow", 3)
    await holders.until(3)
    with limited(WaitLimit(0.1, together=True, owner="slow")), pytest.raises(Unavailable, match=BUSY):
        await database.run(pid)
    leaving = Holders(database)
    leaving.start("slow", 5)
    await asyncio.sleep(0)
    for task in (*leaving.tasks, holders.tasks[0]):
        task.cancel()
    await asyncio.wait([*leaving.tasks, holders.tasks[0]])
    await ask(database, "slow")
    holders.release()
    await asyncio.gather(*holders.tasks[1:])
    assert database.limits.owners == 0
    again = Holders(database)
    again.start("slow", 3)
    again.start("other", 3)
    await again.until(6)
    again.release()
    await asyncio.gather(*again.tasks)


async def test_who_finds_all_connections_in_use_keeps_no_place(database: Database) -> None:
    """Neither of its organisation's, of which another statement goes on, nor of all together."""
    others, own = Holders(database), Holders(database)
    others.start("first", 3)
    others.start("second", 3)
    own.start("third", 1)
    await others.until(6)
    await own.until(1)
    with limited(WaitLimit(0.1, together=True, owner="third")), pytest.raises(Unavailable, match=FULL):
        await database.run(pid)
    others.release()
    await asyncio.gather(*others.tasks)
    own.start("third", 2)
    await own.until(3)
    own.release()
    await asyncio.gather(*own.tasks)
    assert database.limits.owners == 0


async def test_who_gets_no_connection_from_the_pool_keeps_no_place(database: Database) -> None:
    """Statements before the organisation is known have no limit."""
    lookups = Holders(database)
    lookups.start(None, 8)
    await lookups.until(8)
    with limited(WaitLimit(0.1, together=True, owner="somebody")), pytest.raises(PoolTimeout):
        await database.run(pid)
    assert database.limits.owners == 0
    lookups.release()
    await asyncio.gather(*lookups.tasks)


async def test_only_a_request_counts_for_an_organisation() -> None:
    """The limit of a process without requests belongs to nobody."""
    with limited(WaitLimit(8, together=True)):
        count_for("somebody")
        assert wait_limit.get().owner == "somebody"
    count_for("somebody")
    assert wait_limit.get().owner is None


async def test_jobs_take_no_connections_of_requests(conninfo: str, database: Database) -> None:
    async with connect_for_jobs(conninfo, database.pools) as of_jobs:
        jobs = Holders(of_jobs)
        jobs.start(None, 30)
        await jobs.until(8)
        await ask(database, "somebody")
        assert jobs.of == {None: 8}
        jobs.release()
        await asyncio.gather(*jobs.tasks)


@pytest.mark.parametrize(("connected", "expected"), [(connect, "1500ms"), (connect_for_jobs, "10s")])
async def test_requests_and_jobs_wait_differently_for_a_lock(conninfo: str, connected: type, expected: str) -> None:
    async def lock_timeout(conn: Connection) -> str:
        return (await one_row(await conn.execute("show lock_timeout")))[0]

    async with connected(conninfo) as database:
        assert await database.run(lock_timeout) == expected

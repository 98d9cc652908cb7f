"""What becomes of jobs: those that fail, wait, are interrupted, or are asked for too often."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from procrastinate.jobs import Job as QueuedJob
from psycopg_pool import PoolTimeout

from tests.cast import Cast
from tonnage.clock import WallClock, system_time
from tonnage.db import Database, connect
from tonnage.errors import Unavailable
from tonnage.jobs import defer, queries
from tonnage.jobs.actions import retry
from tonnage.jobs.declaration import DECLARED, Job
from tonnage.jobs.running import HeartbeatDeadline, RetryWhenAway, delete_ended, describe_error, take_over_stalled, work
from tonnage.regions.backends import OpenBackends
from tonnage.services import Services
from tonnage.worker import RETRY_PAUSES, jobs_app, require_clock

pytestmark = pytest.mark.anyio

PATIENCE = 60.0
WALL_CLOCK = WallClock()
RECURRING = sum(declared.cron is not None for declared in DECLARED.values()) + 2
"""With the queue's own."""


@pytest.fixture
async def alone(new_database: Callable[[], AbstractContextManager[str]]) -> AsyncGenerator[tuple[str, Database]]:
    """A database of which no other worker knows."""
    with new_database() as conninfo:
        async with connect(conninfo, size=4, streams=1) as database:
            yield conninfo, database


class Work:
    """The job of that name: counts its runs; waits in each for `go_on`; then raises what is next in `raises`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, name: str = "test.work") -> None:
        self.runs = 0
        self.begun = asyncio.Event()
        self.go_on = asyncio.Event()
        self.raises: list[Exception] = []
        declared = replace(DECLARED.get(name, Job(name, "Work", self._run)), function=self._run)
        monkeypatch.setitem(DECLARED, name, declared)

    async def _run(self, services: Services, subject: str) -> None:
        self.runs += 1
        self.begun.set()
        await self.go_on.wait()
        if self.raises:
            raise self.raises.pop(0)


@pytest.fixture
async def work_to_do(monkeypatch: pytest.MonkeyPatch) -> Work:
    return Work(monkeypatch)


@asynccontextmanager
async def working(
    conninfo: str,
    database: Database,
    grace: int = 20,
    wall_clock: WallClock = WALL_CLOCK,
    jobs: Iterable[Job] = DECLARED.values(),
    pauses: Sequence[float] = RETRY_PAUSES,
) -> AsyncGenerator[None]:
    """A worker, which is ended afterwards."""
    services = Services(database, OpenBackends(database, None), wall_clock=wall_clock)
    app = jobs_app(conninfo, services, jobs, pauses)
    task = asyncio.create_task(work(app, services, grace))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def ask(database: Database) -> None:
    await database.transaction(defer, "test.work", "7")


async def rows(database: Database, query: Any) -> list[tuple[Any, ...]]:
    async def read(conn: Any) -> list[tuple[Any, ...]]:
        return await (await conn.execute(query)).fetchall()

    return await database.run(read)


async def jobs(database: Database) -> list[dict[str, Any]]:
    """Those of `test.work`, as an operator sees them."""
    text, params = queries.latest_jobs(100, failed=False)()
    seen = await database.run(_documents, text, params)
    return [one for one in seen if one["name"] == "test.work"]


async def _documents(conn: Any, text: Any, params: Any) -> list[dict[str, Any]]:
    return [json.loads(document) for _, document in await (await conn.execute(text, params)).fetchall()]


async def until(database: Database, met: Callable[[list[dict[str, Any]]], bool]) -> list[dict[str, Any]]:
    """The jobs, as soon as they are so."""
    async with asyncio.timeout(PATIENCE):
        while True:
            seen = await jobs(database)
            if met(seen):
                return seen
            await asyncio.sleep(0.02)


async def until_settled(database: Database, recurring: int = RECURRING) -> None:
    """Until every recurring job of a catching-up worker has been asked for and is done."""
    done = "select not exists (select from procrastinate_jobs), count(*) from procrastinate_periodic_defers"
    async with asyncio.timeout(PATIENCE):
        while True:
            if await rows(database, done) == [(True, recurring)]:
                return
            await asyncio.sleep(0.02)


async def test_a_job_that_fails_by_a_bug_is_there_to_see_and_to_retry(
    alone: tuple[str, Database], work_to_do: Work
) -> None:
    conninfo, database = alone
    work_to_do.go_on.set()
    work_to_do.raises = [KeyError("x")]
    await ask(database)
    async with working(conninfo, database):
        (failed,) = await until(database, lambda seen: [one["status"] for one in seen] == ["failed"])
        assert (failed["subject"], failed["reason"]) == ("7", "KeyError('x')")
        cast = await Cast.of(database)
        assert (await database.transaction(retry, cast.operator, [failed["id"]])).jobs == 1
        await until(database, lambda seen: not seen)
    assert work_to_do.runs == 2
    assert await cast.row("select action, actor_kind, subject_id, after from audit_entry order by id desc limit 1") == (
        "job.retry",
        "cli",
        str(failed["id"]),
        {"name": "test.work", "subject": "7"},
    )


async def test_a_job_whose_cluster_is_away_waits_and_may_be_hurried(
    alone: tuple[str, Database], work_to_do: Work
) -> None:
    conninfo, database = alone
    work_to_do.go_on.set()
    work_to_do.raises = [Unavailable("The cluster sleeps.")]
    await ask(database)
    async with working(conninfo, database, grace=0):
        async with asyncio.timeout(PATIENCE):
            await work_to_do.begun.wait()
        # It may be tried again before we look.
        await until(database, lambda seen: not seen or seen[0]["status"] == "retrying")
        await until(database, lambda seen: not seen)
    assert work_to_do.runs == 2
    assert await rows(database, "select reason from job_failure") == [("The cluster sleeps.",)]

    await ask(database)
    await rows(database, "update procrastinate_jobs set attempts = 5, scheduled_at = '2099-01-01' returning id")
    async with working(conninfo, database):
        assert [one["status"] for one in await jobs(database)] == ["retrying"]
        cast = await Cast.of(database)
        await database.transaction(retry, cast.operator, None)
        await until(database, lambda seen: not seen)
    assert work_to_do.runs == 3


async def test_one_that_waits_for_its_next_try_is_hurried_by_whoever_asks_again(
    alone: tuple[str, Database], work_to_do: Work
) -> None:
    conninfo, database = alone
    work_to_do.go_on.set()
    await ask(database)
    await rows(database, "update procrastinate_jobs set attempts = 9, scheduled_at = '2099-01-01' returning id")
    await ask(database)
    async with working(conninfo, database):
        await until(database, lambda seen: not seen)
    assert work_to_do.runs == 1, "it does the other's work too"


async def test_jobs_of_a_killed_worker_are_taken_over_at_the_start(
    alone: tuple[str, Database], work_to_do: Work
) -> None:
    """Those of the job that takes over, too: nobody else would."""
    conninfo, database = alone
    work_to_do.go_on.set()
    await ask(database)
    await database.transaction(defer, "test.work", "8")
    await rows(
        database,
        """
        insert into procrastinate_jobs (queue_name, task_name, lock, queueing_lock, args, status)
        values ('default', 'jobs.take_over', null, 'jobs.take_over', '{"timestamp": 1}', 'todo') returning id
        """,
    )
    await rows(database, "update procrastinate_jobs set status = 'doing' returning id")
    async with working(conninfo, database, jobs=[DECLARED["test.work"]]):
        async with asyncio.timeout(PATIENCE):
            while True:
                if not await rows(database, "select id from procrastinate_jobs"):
                    break
                await asyncio.sleep(0.02)
    assert work_to_do.runs == 2


@pytest.mark.parametrize(("silent", "status"), [(80, "doing"), (100, "todo")])
async def test_jobs_of_a_live_worker_are_not_taken_over(
    alone: tuple[str, Database], work_to_do: Work, silent: int, status: str
) -> None:
    """Its heartbeats may be late, while the database is slow or its jobs end."""
    conninfo, database = alone
    await ask(database)
    registered = """
        insert into procrastinate_workers (last_heartbeat) values (now() - interval '{} seconds') returning id
    """
    ((worker_id,),) = await rows(database, registered.format(silent))
    await rows(database, f"update procrastinate_jobs set status = 'doing', worker_id = {worker_id} returning id")
    app = jobs_app(conninfo, Services(database, OpenBackends(database, None)))
    async with app.open_async():
        await take_over_stalled(app)
    assert await rows(database, "select status::text from procrastinate_jobs") == [(status,)]


async def test_a_worker_does_not_wait_long_for_its_heartbeat(alone: tuple[str, Database]) -> None:
    conninfo, database = alone
    app = jobs_app(conninfo, Services(database, OpenBackends(database, None)))
    assert isinstance(app.job_manager, HeartbeatDeadline)
    async with app.open_async(), database.pool.connection() as conn, conn.transaction():
        worker_id = await app.job_manager.register_worker()
        await conn.execute("select from procrastinate_workers where id = %s for update", [worker_id])
        async with asyncio.timeout(PATIENCE):
            with pytest.raises(TimeoutError):
                await HeartbeatDeadline(app.connector, wait=0.2).update_heartbeat(worker_id)


async def test_what_takes_long_keeps_nothing_short_waiting(
    alone: tuple[str, Database], work_to_do: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    conninfo, database = alone
    purges = Work(monkeypatch, "provisioning.purge_region")
    for region in range(20):
        await database.transaction(defer, "provisioning.purge_region", region)
    work_to_do.go_on.set()
    async with working(conninfo, database, grace=0):
        async with asyncio.timeout(PATIENCE):
            await purges.begun.wait()
        await ask(database)
        await until(database, lambda seen: not seen)
        assert 0 < purges.runs < 20


async def test_by_a_clock_that_is_off_nothing_is_done(alone: tuple[str, Database], work_to_do: Work) -> None:
    """Who believes to be a month ahead would purge what may still be restored."""
    conninfo, database = alone
    work_to_do.go_on.set()
    await ask(database)
    async with working(conninfo, database, wall_clock=WallClock(lambda: system_time() + timedelta(days=31))):
        (job,) = await until(database, lambda seen: bool(seen and seen[0].get("reason")))
    assert "synchronise both" in job["reason"]
    assert work_to_do.runs == 0


def test_recurring_jobs_look_at_the_clock_too() -> None:
    now = system_time()
    require_clock(now, now + timedelta(minutes=5))
    for apart in (timedelta(minutes=5, seconds=1), timedelta(days=-800)):
        with pytest.raises(Unavailable, match="synchronise both"):
            require_clock(now, now + apart)


async def test_nobody_waits_for_another_transaction_that_runs_a_job_now(
    alone: tuple[str, Database], work_to_do: Work
) -> None:
    _, database = alone
    await ask(database)
    await rows(database, "update procrastinate_jobs set attempts = 9, scheduled_at = '2099-01-01' returning id")
    async with database.pool.connection() as conn, conn.transaction():
        await defer(conn, "test.work", "7")
        async with asyncio.timeout(5):
            await ask(database)


async def test_what_recurs_is_tried_again_when_the_database_was_away_for_a_moment(
    alone: tuple[str, Database],
) -> None:
    conninfo, database = alone
    errors: list[Exception] = [psycopg.OperationalError("a blip"), PoolTimeout("no connection")]
    done = asyncio.Event()

    async def recur(services: Services, subject: str) -> None:
        if errors:
            raise errors.pop()
        done.set()

    due = datetime.now(UTC) - timedelta(hours=12)
    recurring = Job("test.recurring", "Work", recur, cron=f"{due.minute} {due.hour} * * *")
    await rows(
        database,
        """
        insert into procrastinate_jobs (queue_name, task_name, status) values ('default', 'test.recurring', 'failed')
        returning id
        """,
    )
    async with working(conninfo, database, jobs=[recurring], pauses=(0.01, 0.01)), asyncio.timeout(PATIENCE):
        await done.wait()
    left = await rows(database, "select id from procrastinate_jobs where task_name = 'test.recurring'")
    assert left == [], "the run before, which failed, is made up for"


def test_what_is_kept_of_a_failure_says_nothing_about_people() -> None:
    class Refused(psycopg.errors.CheckViolation):
        """As the driver makes them: with the row in the detail."""

        def __str__(self) -> str:
            return "new row violates ...\nDETAIL: Failing row contains (ann@example.org, $argon2id$...)."

    assert describe_error(Refused()) == "Refused: no answer of the database"
    assert describe_error(Unavailable("The cluster sleeps.")) == "The cluster sleeps."
    assert describe_error(KeyError("x")) == "KeyError('x')"


@pytest.mark.parametrize(("attempts", "longest"), [(0, 1), (1, 2), (2, 4), (5, 32), (6, 60), (1000, 60)])
def test_the_pauses_grow_up_to_a_minute(attempts: int, longest: int) -> None:
    job = QueuedJob(id=1, queue="default", lock=None, queueing_lock=None, task_name="test.work", attempts=attempts)
    before = datetime.now(UTC)
    decision = RetryWhenAway().get_retry_decision(exception=Unavailable("away"), job=job)
    assert decision is not None
    assert decision.retry_at is not None
    assert timedelta(seconds=longest / 2) <= decision.retry_at - before <= timedelta(seconds=longest + 5)
    assert RetryWhenAway().get_retry_decision(exception=KeyError("x"), job=job) is None


async def test_a_worker_that_ends_puts_back_what_it_has_begun(alone: tuple[str, Database], work_to_do: Work) -> None:
    conninfo, database = alone
    await ask(database)
    async with working(conninfo, database, grace=0), asyncio.timeout(PATIENCE):
        await work_to_do.begun.wait()
    (job,) = await jobs(database)
    assert (job["status"], job["attempts"]) == ("retrying", 1)
    work_to_do.go_on.set()
    async with working(conninfo, database):
        await until(database, lambda seen: not seen)
    assert work_to_do.runs == 2


async def test_a_worker_that_ends_finishes_what_takes_little_time(
    alone: tuple[str, Database], work_to_do: Work
) -> None:
    conninfo, database = alone
    await ask(database)
    async with working(conninfo, database):
        async with asyncio.timeout(PATIENCE):
            await work_to_do.begun.wait()
        asyncio.get_running_loop().call_later(0.2, work_to_do.go_on.set)
    assert await jobs(database) == []
    assert work_to_do.runs == 1


async def test_one_does_the_work_of_all_that_wait_but_not_of_one_asked_for_while_it_runs(
    alone: tuple[str, Database], work_to_do: Work
) -> None:
    conninfo, database = alone
    for _ in range(3):
        await ask(database)
    async with working(conninfo, database), working(conninfo, database):
        async with asyncio.timeout(PATIENCE):
            await work_to_do.begun.wait()
        assert [one["status"] for one in await jobs(database)] == ["running"]
        for _ in range(3):
            await ask(database)
        assert sorted(one["status"] for one in await jobs(database)) == ["running", *["waiting"] * 3]
        work_to_do.go_on.set()
        await until(database, lambda seen: not seen)
    assert work_to_do.runs == 2


async def test_what_recurs_runs_once_a_period_whatever_the_number_of_workers(
    alone: tuple[str, Database], work_to_do: Work
) -> None:
    conninfo, database = alone
    work_to_do.go_on.set()
    runs = 0

    async def recur(services: Services, subject: str) -> None:
        nonlocal runs
        runs += 1

    # It was due half a day ago, and is again in half a day.
    due = datetime.now(UTC) - timedelta(hours=12)
    recurring = Job("test.recurring", "Work", recur, cron=f"{due.minute} {due.hour} * * *")
    jobs = [recurring, DECLARED["test.work"]]
    async with working(conninfo, database, jobs=jobs), working(conninfo, database, jobs=jobs):
        await until_settled(database, 3)
    async with working(conninfo, database, jobs=jobs):
        # A worker that comes later runs what is asked for, and so has had its chance.
        await ask(database)
        await until(database, lambda seen: not seen)
    assert (runs, work_to_do.runs) == (1, 1)


async def test_what_failed_long_ago_is_forgotten(alone: tuple[str, Database]) -> None:
    conninfo, database = alone
    made = """
        with made as (
            insert into procrastinate_jobs (queue_name, task_name, status)
            select 'default', 'test.work', 'todo' from generate_series(1, 2) returning id
        )
        insert into job_failure (job_id, failed_at, reason) select id, now(), 'a bug' from made returning job_id
    """
    old, young = sorted(job_id for (job_id,) in await rows(database, made))
    await rows(database, "update procrastinate_jobs set status = 'failed' returning id")
    aged = "update procrastinate_events set at = at - interval '31 days' where job_id = {} returning id"
    await rows(database, aged.format(old))
    app = jobs_app(conninfo, Services(database, OpenBackends(database, None)))
    async with app.open_async():
        await delete_ended(app, database)
    assert [one["id"] for one in await jobs(database)] == [young]
    assert await rows(database, "select job_id from job_failure") == [(young,)]

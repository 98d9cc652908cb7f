"""Jobs that fail, wait, are interrupted, or are deferred repeatedly."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import psycopg
import pytest
from procrastinate import JobContext
from procrastinate.jobs import Job as QueuedJob
from psycopg import sql
from psycopg_pool import PoolTimeout

from tests.cast import Cast
from tests.roles import as_owner
from tonnage.clock import WallClock, system_time
from tonnage.db import Database, connect
from tonnage.error_codes import UnavailableCode
from tonnage.errors import Unavailable
from tonnage.jobs import defer, queries
from tonnage.jobs.actions import retry
from tonnage.jobs.clock_check import require_clock
from tonnage.jobs.declaration import DECLARED, Job
from tonnage.jobs.running import RetryWhenAway, StrictJobManager, delete_ended, describe_error, take_over_stalled, work
from tonnage.migrations.revisions import PROGRAM, Revisions
from tonnage.regions.backends import OpenBackends
from tonnage.services import Services
from tonnage.worker import RETRY_PAUSES, jobs_app

pytestmark = pytest.mark.anyio

PATIENCE = 60.0
WALL_CLOCK = WallClock()
RECURRING = sum(declared.cron is not None for declared in DECLARED.values()) + 2
"""Including the queue's own."""


@pytest.fixture
async def own_database(new_database: Callable[[], AbstractContextManager[str]]) -> AsyncGenerator[tuple[str, Database]]:
    """A database without other workers."""
    with new_database() as conninfo:
        async with connect(conninfo, size=4, streams=1) as database:
            yield conninfo, database


class Work:
    """The job of that name: counts its runs; waits in each for `resume`; then raises the next of `raises`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, name: str = "test.work") -> None:
        self.runs = 0
        self.begun = asyncio.Event()
        self.resume = asyncio.Event()
        self.raises: list[Exception] = []
        declared = replace(DECLARED.get(name, Job(name, "Work", self._run)), function=self._run)
        monkeypatch.setitem(DECLARED, name, declared)

    async def _run(self, services: Services, subject: str) -> None:
        self.runs += 1
        self.begun.set()
        await self.resume.wait()
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
    revisions: Revisions = PROGRAM,
) -> AsyncGenerator[None]:
    """A running worker."""
    services = Services(database, OpenBackends(database, None), wall_clock=wall_clock)
    app = jobs_app(conninfo, services, jobs, pauses)
    task = asyncio.create_task(work(app, services, grace, revisions))
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
    """The jobs named `test.work`, as an operator reads them."""
    text, params = queries.latest_jobs(100, failed=False)()
    seen = await database.run(_documents, text, params)
    return [one for one in seen if one["name"] == "test.work"]


async def _documents(conn: Any, text: Any, params: Any) -> list[dict[str, Any]]:
    return [json.loads(document) for _, document in await (await conn.execute(text, params)).fetchall()]


async def until(database: Database, met: Callable[[list[dict[str, Any]]], bool]) -> list[dict[str, Any]]:
    """The jobs, as soon as the condition is met."""
    async with asyncio.timeout(PATIENCE):
        while True:
            seen = await jobs(database)
            if met(seen):
                return seen
            await asyncio.sleep(0.02)


async def until_settled(database: Database, recurring: int = RECURRING) -> None:
    """Waits until every recurring job of a catching-up worker has been deferred and run."""
    done = "select not exists (select from procrastinate_jobs), count(*) from procrastinate_periodic_defers"
    async with asyncio.timeout(PATIENCE):
        while True:
            if await rows(database, done) == [(True, recurring)]:
                return
            await asyncio.sleep(0.02)


async def test_a_job_that_fails_by_a_bug_is_there_to_see_and_to_retry(
    own_database: tuple[str, Database], work_to_do: Work
) -> None:
    conninfo, database = own_database
    work_to_do.resume.set()
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


async def test_a_job_waits_for_an_unreachable_cluster_and_can_be_retried_at_once(
    own_database: tuple[str, Database], work_to_do: Work
) -> None:
    conninfo, database = own_database
    work_to_do.resume.set()
    work_to_do.raises = [Unavailable("The cluster sleeps.", UnavailableCode.CLUSTER_UNAVAILABLE)]
    await ask(database)
    async with working(conninfo, database, grace=0):
        async with asyncio.timeout(PATIENCE):
            await work_to_do.begun.wait()
        # It may be retried before the first look-up.
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


async def test_deferring_a_waiting_job_again_retries_it_at_once(
    own_database: tuple[str, Database], work_to_do: Work
) -> None:
    conninfo, database = own_database
    work_to_do.resume.set()
    await ask(database)
    await rows(database, "update procrastinate_jobs set attempts = 9, scheduled_at = '2099-01-01' returning id")
    await ask(database)
    async with working(conninfo, database):
        await until(database, lambda seen: not seen)
    assert work_to_do.runs == 1, "it does the other's work too"


async def test_jobs_of_a_killed_worker_are_taken_over_at_the_start(
    own_database: tuple[str, Database], work_to_do: Work
) -> None:
    """Including the job that takes jobs over: no other would."""
    conninfo, database = own_database
    work_to_do.resume.set()
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
    own_database: tuple[str, Database], work_to_do: Work, silent: int, status: str
) -> None:
    """Its heartbeats may be late, while the database is slow or its jobs end."""
    conninfo, database = own_database
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


async def test_a_worker_whose_database_was_away_runs_its_interrupted_jobs_at_once(
    own_database: tuple[str, Database], work_to_do: Work
) -> None:
    """It could not unregister itself: its last heartbeat is recent, but it is known to have ended."""
    conninfo, database = own_database
    work_to_do.resume.set()
    await ask(database)
    await database.transaction(defer, "test.work", "of another process")
    services = Services(database, OpenBackends(database, None))
    app = jobs_app(conninfo, services, [DECLARED["test.work"]])
    async with app.open_async():
        ended = await app.job_manager.register_worker()
    other = "insert into procrastinate_workers default values returning id"
    ((other_worker,),) = await rows(database, other)
    interrupted = f"""
        update procrastinate_jobs set status = 'doing',
            worker_id = case when args->>'subject' = '7' then {ended} else {other_worker} end
        returning id
    """
    await rows(database, interrupted)
    task = asyncio.create_task(work(app, services))
    try:
        remaining = await until(database, lambda seen: len(seen) == 1)
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    assert (work_to_do.runs, [job["status"] for job in remaining]) == (1, ["running"])


REFUSED_ONCE = """
    create sequence ends;
    grant usage on sequence ends to tonnage_app;
    create function refuse() returns trigger language plpgsql as $$ begin
        if nextval('ends') = 1 then raise exception 'lost' using errcode = {errcode}; end if;
        return case tg_op when 'DELETE' then old else new end;
    end $$;
    create trigger refuse before update or delete on procrastinate_jobs
        for each row when (old.status = 'doing' and old.task_name = 'test.work') execute function refuse()
"""


@pytest.mark.parametrize("errcode", ["57P01", "55P03", "23505"])
@pytest.mark.parametrize(
    "raises", [[], [Unavailable("The cluster sleeps.", UnavailableCode.CLUSTER_UNAVAILABLE)]], ids=["done", "to retry"]
)
async def test_a_job_whose_end_could_not_be_recorded_runs_again(
    own_database: tuple[str, Database], work_to_do: Work, errcode: str, raises: list[Exception]
) -> None:
    """The worker lives on, so nobody takes its jobs over: the job would count as running, and block all of its kind."""
    conninfo, database = own_database
    work_to_do.resume.set()
    work_to_do.raises = list(raises)
    await ask(database)
    with psycopg.connect(as_owner(conninfo)) as conn:
        conn.execute(sql.SQL(REFUSED_ONCE).format(errcode=errcode))
    async with working(conninfo, database, jobs=[DECLARED["test.work"]]):
        await until(database, lambda seen: not seen)
    assert work_to_do.runs == 2


async def test_a_worker_does_not_wait_long_for_its_heartbeat(own_database: tuple[str, Database]) -> None:
    conninfo, database = own_database
    app = jobs_app(conninfo, Services(database, OpenBackends(database, None)))
    assert isinstance(app.job_manager, StrictJobManager)
    async with app.open_async(), database.pool.connection() as conn, conn.transaction():
        worker_id = await app.job_manager.register_worker()
        await conn.execute("select from procrastinate_workers where id = %s for update", [worker_id])
        async with asyncio.timeout(PATIENCE):
            with pytest.raises(TimeoutError):
                await StrictJobManager(app.connector, wait=0.2).update_heartbeat(worker_id)


async def test_long_jobs_do_not_block_short_ones(
    own_database: tuple[str, Database], work_to_do: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    conninfo, database = own_database
    purges = Work(monkeypatch, "provisioning.purge_region")
    for region in range(20):
        await database.transaction(defer, "provisioning.purge_region", region)
    work_to_do.resume.set()
    async with working(conninfo, database, grace=0):
        async with asyncio.timeout(PATIENCE):
            await purges.begun.wait()
        await ask(database)
        await until(database, lambda seen: not seen)
        assert 0 < purges.runs < 20


async def test_a_worker_leaves_jobs_to_later_releases(
    own_database: tuple[str, Database], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It does not know them: fetched by it, they would fail for good."""
    conninfo, database = own_database
    known = Work(monkeypatch)
    brought = Work(monkeypatch, "test.brought")
    monkeypatch.setitem(DECLARED, "test.brought", replace(DECLARED["test.brought"], since="0002"))
    known.resume.set()
    brought.resume.set()
    await database.transaction(defer, "test.brought", "1")
    await ask(database)
    (tmp_path / "0001_initial.py").touch()
    async with working(conninfo, database, jobs=[DECLARED["test.work"]], revisions=Revisions((tmp_path,))):
        await until(database, lambda seen: not seen)
        left = "select queue_name, status::text, attempts from procrastinate_jobs where task_name = 'test.brought'"
        assert await rows(database, left) == [("default-0002", "todo", 0)]
    async with working(conninfo, database), asyncio.timeout(PATIENCE):
        await brought.begun.wait()


async def test_with_a_wrong_clock_no_job_is_taken(
    own_database: tuple[str, Database], work_to_do: Work, caplog: pytest.LogCaptureFixture
) -> None:
    """A worker whose clock is a month ahead would purge accounts that may still be restored, and one that only fails
    keeps each job from the others until its retry.
    """
    conninfo, database = own_database
    work_to_do.resume.set()
    await ask(database)
    async with working(conninfo, database, wall_clock=WallClock(lambda: system_time() + timedelta(days=31))):
        async with asyncio.timeout(PATIENCE):
            while "takes no jobs" not in caplog.text:  # noqa: ASYNC110 - a log has no event for it
                await asyncio.sleep(0.02)
        async with working(conninfo, database):
            await until(database, lambda seen: not seen)
    assert work_to_do.runs == 1
    assert await rows(database, "select * from job_failure") == []


async def test_with_a_wrong_clock_nothing_is_fetched_deferred_or_done(
    own_database: tuple[str, Database], work_to_do: Work
) -> None:
    """A job that was fetched before the clock was wrong checks it by itself."""
    conninfo, database = own_database
    done: list[str] = []

    async def perform(services: Services, subject: str) -> None:
        done.append(subject)

    jobs = [Job("test.recurring", "Work", perform, cron="0 0 * * *"), Job("test.work", "Work", perform)]
    right, ahead = system_time(), system_time() + timedelta(days=31)

    async def attempts(now: datetime) -> tuple[QueuedJob | None, int | None]:
        services = Services(database, OpenBackends(database, None), wall_clock=WallClock(lambda: now))
        app = jobs_app(conninfo, services, jobs, pauses=())
        await ask(database)
        async with app.open_async():
            tasks = cast("dict[str, Any]", app.tasks)  # pyright: ignore[reportUnknownMemberType]
            recurring, on_demand = tasks["test.recurring"], tasks["test.work"]
            worker_id = await app.job_manager.register_worker()
            job = recurring.configure(task_kwargs={"timestamp": 1}).job
            fetched = await app.job_manager.fetch_job(None, worker_id)
            deferred = await app.job_manager.defer_periodic_job(job, "test.recurring", 1)
            own = QueuedJob(id=0, queue="default", lock=None, queueing_lock=None, task_name="test.work")
            context = JobContext(start_timestamp=0, app=app, job=own, abort_reason=lambda: None)
            for run in (recurring.func(1), on_demand.func(context, "7")):
                with pytest.raises(Unavailable, match="Synchronise both") if now is ahead else nullcontext():
                    await run
            return fetched, deferred

    assert await attempts(ahead) == (None, None)
    assert done == []
    fetched, deferred = await attempts(right)
    assert fetched
    assert deferred
    assert done == ["", "7"]


def test_recurring_jobs_check_the_clock_too() -> None:
    now = system_time()
    require_clock(now, now + timedelta(minutes=5))
    for apart in (timedelta(minutes=5, seconds=1), timedelta(days=-800)):
        with pytest.raises(Unavailable, match="Synchronise both"):
            require_clock(now, now + apart)


async def test_deferring_does_not_wait_for_another_transaction(
    own_database: tuple[str, Database], work_to_do: Work
) -> None:
    _, database = own_database
    await ask(database)
    await rows(database, "update procrastinate_jobs set attempts = 9, scheduled_at = '2099-01-01' returning id")
    async with database.pool.connection() as conn, conn.transaction():
        await defer(conn, "test.work", "7")
        async with asyncio.timeout(5):
            await ask(database)


async def test_recurring_jobs_are_retried_after_a_database_outage(
    own_database: tuple[str, Database],
) -> None:
    conninfo, database = own_database
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


def test_a_recorded_failure_has_no_personal_data() -> None:
    class Refused(psycopg.errors.CheckViolation):
        """As the driver raises it: with the row in the detail."""

        def __str__(self) -> str:
            return "new row violates ...\nDETAIL: Failing row contains (ann@example.org, $argon2id$...)."

    assert describe_error(Refused()) == "Refused: no answer from the database"
    assert (
        describe_error(Unavailable("The cluster sleeps.", UnavailableCode.CLUSTER_UNAVAILABLE)) == "The cluster sleeps."
    )
    assert describe_error(KeyError("x")) == "KeyError('x')"


@pytest.mark.parametrize(("attempts", "longest"), [(0, 1), (1, 2), (2, 4), (5, 32), (6, 60), (1000, 60)])
def test_the_pauses_grow_up_to_a_minute(attempts: int, longest: int) -> None:
    job = QueuedJob(id=1, queue="default", lock=None, queueing_lock=None, task_name="test.work", attempts=attempts)
    before = datetime.now(UTC)
    decision = RetryWhenAway().get_retry_decision(
        exception=Unavailable("away", UnavailableCode.CLUSTER_UNAVAILABLE), job=job
    )
    assert decision is not None
    assert decision.retry_at is not None
    assert timedelta(seconds=longest / 2) <= decision.retry_at - before <= timedelta(seconds=longest + 5)
    assert RetryWhenAway().get_retry_decision(exception=KeyError("x"), job=job) is None


async def test_a_worker_that_ends_puts_back_what_it_has_begun(
    own_database: tuple[str, Database], work_to_do: Work
) -> None:
    conninfo, database = own_database
    await ask(database)
    async with working(conninfo, database, grace=0), asyncio.timeout(PATIENCE):
        await work_to_do.begun.wait()
    (job,) = await jobs(database)
    assert (job["status"], job["attempts"]) == ("retrying", 1)
    work_to_do.resume.set()
    async with working(conninfo, database):
        await until(database, lambda seen: not seen)
    assert work_to_do.runs == 2


async def test_a_worker_that_ends_finishes_what_takes_little_time(
    own_database: tuple[str, Database], work_to_do: Work
) -> None:
    conninfo, database = own_database
    await ask(database)
    async with working(conninfo, database):
        async with asyncio.timeout(PATIENCE):
            await work_to_do.begun.wait()
        asyncio.get_running_loop().call_later(0.2, work_to_do.resume.set)
    assert await jobs(database) == []
    assert work_to_do.runs == 1


async def test_a_run_serves_all_waiting_requests_but_none_deferred_meanwhile(
    own_database: tuple[str, Database], work_to_do: Work
) -> None:
    conninfo, database = own_database
    for _ in range(3):
        await ask(database)
    async with working(conninfo, database), working(conninfo, database):
        async with asyncio.timeout(PATIENCE):
            await work_to_do.begun.wait()
        assert [one["status"] for one in await jobs(database)] == ["running"]
        for _ in range(3):
            await ask(database)
        assert sorted(one["status"] for one in await jobs(database)) == ["running", *["waiting"] * 3]
        work_to_do.resume.set()
        await until(database, lambda seen: not seen)
    assert work_to_do.runs == 2


async def test_a_recurring_job_runs_once_a_period_with_several_workers(
    own_database: tuple[str, Database], work_to_do: Work
) -> None:
    conninfo, database = own_database
    work_to_do.resume.set()
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
        # A worker that starts later runs deferred jobs, and would have run the recurring one by then.
        await ask(database)
        await until(database, lambda seen: not seen)
    assert (runs, work_to_do.runs) == (1, 1)


async def test_old_failures_are_deleted(own_database: tuple[str, Database]) -> None:
    conninfo, database = own_database
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

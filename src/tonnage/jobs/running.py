"""Runs jobs: workers that survive outages of the database, unlimited retries, and jobs of dead workers."""

import asyncio
import contextlib
import logging
import random
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Any

import psycopg
from procrastinate import App, BaseRetryStrategy, JobContext, RetryDecision
from procrastinate.connector import BaseConnector
from procrastinate.exceptions import ConnectorException, JobAborted, UniqueViolation
from procrastinate.jobs import Job, Status
from procrastinate.manager import JobManager
from procrastinate.middleware import WorkerMiddleware
from procrastinate.utils import utcnow

from tonnage.db import Database
from tonnage.db.cancellation import cancellations, raise_lost
from tonnage.db.deadlines import JOB_WAIT, WaitLimit, limited
from tonnage.db.failures import UNAVAILABLE
from tonnage.errors import TonnageError, Unavailable
from tonnage.jobs import queries
from tonnage.jobs.declaration import LONG, OUTBOUND, SHORT, stored_queues
from tonnage.migrations.revisions import PROGRAM, Revisions
from tonnage.services import Services

_log = logging.getLogger(__name__)


_PAUSE = 5.0
"""Seconds until the next try after the database was unavailable."""

_LONGEST_WAIT = 60.0
"""Maximum of the seconds until the next try of a job whose cluster was unavailable."""

_KEPT_HOURS = 30 * 24
"""Retention of failed jobs, for inspection."""

_AT_ONCE = {SHORT: 8, LONG: 4, OUTBOUND: 8}
"""Concurrent jobs in a process, by queue. They mostly wait for clusters; a stalled one must not block all."""

CONNECTIONS = sum(_AT_ONCE.values()) + 2 * len(_AT_ONCE)
CONNECTION_WAIT = 60.0
"""Connections: one for each concurrent job, since all may end at once, and for each worker one to listen and one for
its heartbeat. A job whose end could not be recorded would count as running for as long as the process lives."""

HEARTBEAT_WAIT = 30.0
"""Seconds for a heartbeat, waiting for a connection included. A worker whose heartbeat takes longer stops, and ends its
jobs, before others run them."""

_HEARTBEAT_PAUSE = 10.0
"""Seconds between heartbeats."""

_GRACE = 20
"""Seconds that a worker which stops leaves to its running jobs. It sends no heartbeat any more."""

STALLED_AFTER = _HEARTBEAT_PAUSE + HEARTBEAT_WAIT + _GRACE + 30.0
"""Seconds without a heartbeat after which a worker is considered dead, and its jobs are run by others. A live worker
has ended its jobs by then: the sum of the three above, and half a minute for those that are cancelled."""

AWAY = (Unavailable, *UNAVAILABLE)
"""The errors after which a job is tried again."""


class StrictJobManager(JobManager):
    """The queue's manager, with a deadline for heartbeats, a condition for taking jobs, and knowledge of jobs whose end
    could not be recorded.

    The waits of the queue itself are too long for heartbeats: with a slow database a live worker would count as dead.
    """

    def __init__(
        self,
        connector: BaseConnector,
        wait: float = HEARTBEAT_WAIT,
        may_take_jobs: Callable[[], Awaitable[bool]] | None = None,
    ) -> None:
        super().__init__(connector)
        self._wait = wait
        self._may_take_jobs = may_take_jobs
        self._registered: set[int] = set()
        self._unrecorded = asyncio.Event()

    async def fetch_job(self, queues: Iterable[str] | None, worker_id: int) -> Job | None:
        """As JobManager."""
        if self._may_take_jobs and not await self._may_take_jobs():
            return None
        return await super().fetch_job(queues, worker_id)

    async def defer_periodic_job(self, job: Job, periodic_id: str, defer_timestamp: int) -> int | None:
        """As JobManager."""
        if self._may_take_jobs and not await self._may_take_jobs():
            return None
        return await super().defer_periodic_job(job, periodic_id, defer_timestamp)

    async def register_worker(self) -> int:
        """As JobManager."""
        worker_id = await super().register_worker()
        self._registered.add(worker_id)
        return worker_id

    async def unregister_worker(self, worker_id: int) -> None:
        """As JobManager."""
        await super().unregister_worker(worker_id)
        self._registered.discard(worker_id)

    async def finish_job(self, job: Job, status: Status, delete_job: bool) -> None:
        """As JobManager, for the workers. Raises nothing: see `unrecorded`."""
        await self._record(job, super().finish_job(job, status, delete_job))

    async def retry_job(self, job: Job, *arguments: Any, **named: Any) -> None:
        """As JobManager, for the workers. Raises nothing: see `unrecorded`."""
        await self._record(job, super().retry_job(job, *arguments, **named))

    async def _record(self, job: Job, end: Awaitable[None]) -> None:
        try:
            await end
        except (ConnectorException, *UNAVAILABLE) as error:
            reason = " ".join(str(error.__cause__ or error).split())
            _log.warning("could not record the end of job %s: %s", job.call_string, reason)
            self._unrecorded.set()

    async def unrecorded(self) -> None:
        """Returns when the end of a job could not be recorded. As long as its worker lives, the job counts as running
        and blocks all of its kind.
        """
        await self._unrecorded.wait()

    async def unregister_ended(self) -> None:
        """Unregisters the workers of this process whose database was away when they ended. None may be running.

        Their jobs count as stalled then. Otherwise each would hold its lock until STALLED_AFTER: after a fail-over the
        changes of a whole region would wait for minutes.
        """
        for worker_id in sorted(self._registered):
            await self.unregister_worker(worker_id)
        self._unrecorded.clear()

    async def update_heartbeat(self, worker_id: int) -> None:
        """As JobManager. Raises TimeoutError, which stops the worker."""
        async with asyncio.timeout(self._wait):
            await super().update_heartbeat(worker_id)


class RetryWhenAway(BaseRetryStrategy):
    """Retries without limit, with back-off, when something was unreachable; never after a bug."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        """None: the job has failed and needs attention."""
        if isinstance(exception, JobAborted | asyncio.CancelledError):
            return RetryDecision()
        if isinstance(exception, AWAY):
            wait = min(_LONGEST_WAIT, 2.0 ** min(job.attempts, 10))
            return RetryDecision(retry_in={"milliseconds": int(1000 * random.uniform(wait / 2, wait))})  # noqa: S311
        return None


async def take_over_stalled(app: App) -> None:
    """Hands the jobs of killed workers over to live ones.

    The queue itself does not: such a job would count as running for ever, and its lock would block all later ones of
    its kind. So every job must be safe to run twice.
    """
    queue = app.job_manager
    for job in await queue.get_stalled_jobs(seconds_since_heartbeat=STALLED_AFTER):
        _log.warning("the worker of job %s has ended; running the job again", job.call_string)
        # Another worker may take it over concurrently.
        with contextlib.suppress(ConnectorException):
            job_id = job.id or 0
            try:
                await queue.retry_job_by_id_async(job_id, retry_at=utcnow())
            except UniqueViolation:
                # The next one of its kind is waiting already, and only one may wait.
                await queue.finish_job_by_id_async(job_id, status=Status.FAILED, delete_job=True)


async def delete_ended(app: App, database: Database) -> None:
    """Deletes jobs that failed a month ago or were aborted, and the recorded errors of deleted jobs."""
    await app.job_manager.delete_old_jobs(
        _KEPT_HOURS, include_failed=True, include_cancelled=True, include_aborted=True
    )
    await database.run(queries.delete_stale_failures)


async def _nothing() -> None:
    pass


async def work(
    app: App,
    services: Services,
    grace: int = _GRACE,
    revisions: Revisions = PROGRAM,
    *,
    first: Callable[[], Awaitable[None]] = _nothing,
) -> None:
    """Runs jobs until cancelled; running jobs then have `grace` seconds to finish. Survives outages of the database.

    Leaves jobs alone that a later release than that of `revisions` brings. `first` runs before any job is taken, each
    time that the database is connected.
    """

    before = cancellations()
    while True:
        try:
            with limited(WaitLimit(JOB_WAIT)):
                async with app.open_async():
                    if isinstance(app.job_manager, StrictJobManager):
                        await app.job_manager.unregister_ended()
                    await first()
                    await take_over_stalled(app)
                    await _run_workers(app, grace, revisions, partial(_record_failures, services))
            # It also returns when its connection for notifications breaks.
            reason = "its connection was closed, or the end of a job could not be recorded"
        except (ConnectorException, *UNAVAILABLE) as error:
            reason = " ".join(str(error.__cause__ or error).split())
        finally:
            # After a failed open, only a close makes the next open start from scratch.
            with contextlib.suppress(ConnectorException, *UNAVAILABLE):
                await app.close_async()
        # If cancelled while the database is unreachable, a worker ends with that error instead of the cancellation.
        raise_lost(before)
        _log.warning("the job worker restarts in %.0f s: %s", _PAUSE, reason)
        await asyncio.sleep(_PAUSE)


async def _record_failures(
    services: Services, process: Callable[[], Awaitable[Any]], context: JobContext, worker: object
) -> Any:
    try:
        return await process()
    except Exception as error:
        reason = describe_error(error)
        if context.job.id is not None:
            job_id = context.job.id
            with contextlib.suppress(*AWAY):
                now = services.wall_clock()
                await services.database.run(queries.record_failure, job_id, reason, now)
        raise


def describe_error(error: Exception) -> str:
    """The error as text that may be stored. Of a database error only the primary message: its details contain refused
    values, such as e-mail addresses."""
    match error:
        case TonnageError():
            return str(error)
        case psycopg.Error():
            return f"{type(error).__name__}: {error.diag.message_primary or 'no answer from the database'}"
        case _:
            return repr(error)


async def _run_workers(app: App, grace: int, revisions: Revisions, record_failures: WorkerMiddleware) -> None:
    """Runs a worker for each queue, until one of them ends or cannot record the end of a job; then cancels all."""

    async def run(queue: str, at_once: int) -> None:
        await app.run_worker_async(
            queues=stored_queues(queue, revisions.names()),
            concurrency=at_once,
            install_signal_handlers=False,
            delete_jobs="successful",
            shutdown_graceful_timeout=grace,
            update_heartbeat_interval=_HEARTBEAT_PAUSE,
            stalled_worker_timeout=STALLED_AFTER,
            worker_middleware=[record_failures],
        )

    workers = [asyncio.create_task(run(*queue)) for queue in _AT_ONCE.items()]
    if isinstance(app.job_manager, StrictJobManager):
        workers.append(asyncio.create_task(app.job_manager.unrecorded()))
    try:
        await asyncio.wait(workers, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for worker in workers:
            worker.cancel()
        ended = await asyncio.gather(*workers, return_exceptions=True)
    for error in ended:
        if isinstance(error, Exception):
            raise error

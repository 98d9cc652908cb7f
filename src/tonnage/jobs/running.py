"""Runs jobs: workers that survive outages of the database, unlimited retries, and jobs of dead workers."""

import asyncio
import contextlib
import logging
import random
from collections.abc import Awaitable, Callable
from typing import Any

import psycopg
from procrastinate import App, BaseRetryStrategy, JobContext, RetryDecision
from procrastinate.connector import BaseConnector
from procrastinate.exceptions import ConnectorException, JobAborted, UniqueViolation
from procrastinate.jobs import Job, Status
from procrastinate.manager import JobManager
from procrastinate.middleware import WorkerMiddleware
from psycopg_pool import PoolTimeout

from tonnage.db import Database
from tonnage.db.deadlines import JOB_WAIT, WaitLimit, limited
from tonnage.errors import TonnageError, Unavailable
from tonnage.jobs import queries
from tonnage.jobs.declaration import LONG, SHORT
from tonnage.services import Services

_log = logging.getLogger(__name__)


_PAUSE = 5.0
"""Seconds until the next try after the database was unavailable."""

_LONGEST_WAIT = 60.0
"""Maximum of the seconds until the next try of a job whose cluster was unavailable."""

_KEPT_HOURS = 30 * 24
"""Retention of failed jobs, for inspection."""

_AT_ONCE = {SHORT: 8, LONG: 4}
"""Concurrent jobs in a process, by queue. They mostly wait for clusters; a stalled one must not block all."""

CONNECTIONS = sum(_AT_ONCE.values()) + 4
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

AWAY = (Unavailable, psycopg.OperationalError, PoolTimeout)


class HeartbeatDeadline(JobManager):
    """The queue's manager, with a deadline for heartbeats.

    The waits of the queue itself are too long for them: with a slow database a live worker would count as dead.
    """

    def __init__(self, connector: BaseConnector, wait: float = HEARTBEAT_WAIT) -> None:
        super().__init__(connector)
        self._wait = wait

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
    for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_AFTER):
        _log.warning("the worker of job %s has ended; running the job again", job.call_string)
        # Another worker may take it over concurrently.
        with contextlib.suppress(ConnectorException):
            try:
                await app.job_manager.retry_job(job)
            except UniqueViolation:
                # The next one of its kind is waiting already, and only one may wait.
                await app.job_manager.finish_job(job, status=Status.FAILED, delete_job=True)


async def delete_ended(app: App, database: Database) -> None:
    """Deletes jobs that failed a month ago or were aborted, and the recorded errors of deleted jobs."""
    await app.job_manager.delete_old_jobs(
        _KEPT_HOURS, include_failed=True, include_cancelled=True, include_aborted=True
    )
    await database.run(queries.delete_stale_failures)


async def work(app: App, services: Services, grace: int = _GRACE) -> None:
    """Runs jobs until cancelled; running jobs then have `grace` seconds to finish. Survives outages of the database."""

    async def record_failures(process: Callable[[], Awaitable[Any]], context: JobContext, worker: object) -> Any:
        try:
            return await process()
        except Exception as error:
            reason = describe_error(error)
            if context.job.id is not None:
                job_id = context.job.id
                with contextlib.suppress(psycopg.OperationalError, PoolTimeout, Unavailable):
                    now = services.wall_clock()
                    await services.database.run(queries.record_failure, job_id, reason, now)
            raise

    while True:
        try:
            with limited(WaitLimit(JOB_WAIT)):
                async with app.open_async():
                    await take_over_stalled(app)
                    await _run_workers(app, grace, record_failures)
            # It also returns when its connection for notifications breaks.
            reason = "its connection was closed"
        except (ConnectorException, psycopg.OperationalError) as error:
            # If cancelled while the database is unreachable, a worker ends with this error instead of the cancellation.
            if _is_cancelled():
                raise asyncio.CancelledError from error
            reason = " ".join(str(error.__cause__ or error).split())
        finally:
            # After a failed open, only a close makes the next open start from scratch.
            with contextlib.suppress(ConnectorException, psycopg.OperationalError):
                await app.close_async()
        _log.warning("the job worker restarts in %.0f s: %s", _PAUSE, reason)
        await asyncio.sleep(_PAUSE)


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


async def _run_workers(app: App, grace: int, record_failures: WorkerMiddleware) -> None:
    """Runs a worker for each queue, until one of them ends; then cancels the others."""

    async def run(queue: str, at_once: int) -> None:
        await app.run_worker_async(
            queues=[queue],
            concurrency=at_once,
            install_signal_handlers=False,
            delete_jobs="successful",
            shutdown_graceful_timeout=grace,
            update_heartbeat_interval=_HEARTBEAT_PAUSE,
            stalled_worker_timeout=STALLED_AFTER,
            worker_middleware=[record_failures],
        )

    workers = [asyncio.create_task(run(*queue)) for queue in _AT_ONCE.items()]
    try:
        await asyncio.wait(workers, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for worker in workers:
            worker.cancel()
        ended = await asyncio.gather(*workers, return_exceptions=True)
    for error in ended:
        if isinstance(error, Exception):
            raise error


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0

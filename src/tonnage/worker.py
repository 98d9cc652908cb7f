"""Which job runs which function, and what recurs when. Any number of workers may run on one database."""

import asyncio
import contextlib
import logging
import random
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

import psycopg
from procrastinate import App, BaseRetryStrategy, JobContext, PsycopgConnector, RetryDecision
from procrastinate.exceptions import ConnectorException, JobAborted, UniqueViolation
from procrastinate.jobs import Job, Status
from psycopg_pool import PoolTimeout

from tonnage.accounts import jobs as accounts
from tonnage.db import POOL_WAIT, Database
from tonnage.errors import NotFound, TonnageError, Unavailable
from tonnage.jobs import queries
from tonnage.regions import jobs as regions
from tonnage.regions.planes import Planes
from tonnage.usage import jobs as usage

_log = logging.getLogger(__name__)

Clock: TypeAlias = Callable[[], datetime]
Recurring: TypeAlias = Callable[[Database, Planes, Clock], Awaitable[None]]
OnDemand: TypeAlias = Callable[[Database, Planes, Clock, str], Awaitable[None]]

RECURRING: dict[str, tuple[str, Recurring]] = {
    "accounts.purge": ("*/5 * * * *", accounts.purge),
    "accounts.settle_all": ("* * * * *", accounts.settle_all),
    "accounts.sweep_all": ("41 */6 * * *", accounts.sweep_all),
    "regions.look_after": ("* * * * *", regions.look_after),
    "usage.keep_house": ("17 0 * * *", usage.keep_house),
    "usage.sample_all": ("0 * * * *", usage.sample_all),
}
"""When it runs, once per period whatever the number of workers, and what."""

ON_DEMAND: dict[str, OnDemand] = {
    "accounts.purge_region": accounts.purge_region,
    "accounts.reconcile": accounts.reconcile,
    "accounts.requota": accounts.requota,
    "accounts.settle": accounts.settle,
    "accounts.sweep": accounts.sweep,
    "usage.sample": usage.sample,
}
"""What can be asked for with `jobs.defer`."""

_CATCH_UP = 86_400.0
"""Seconds by which a recurring job may be late: one that fell into the night runs when the machine is on again."""

_PAUSE = 5.0
"""Seconds until the next try when the database was away."""

_LONGEST_WAIT = 60.0
"""Seconds until the next try of a job whose cluster was away, at most."""

_KEPT_HOURS = 30 * 24
"""How long a failed job waits for somebody to look at it."""

_AT_ONCE = 8
"""Jobs under way in a process. They wait for clusters most of the time, and one that is stalled must not stop all."""


class Persistent(BaseRetryStrategy):
    """What could not be reached is tried again until it can be, ever less often; a bug is not."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        """None: the job has failed, for somebody to look at."""
        if isinstance(exception, JobAborted | asyncio.CancelledError):
            return RetryDecision(retry_in={"seconds": 0})
        if isinstance(exception, Unavailable | psycopg.OperationalError | PoolTimeout):
            wait = min(_LONGEST_WAIT, 2.0 ** min(job.attempts, 10))
            # Behind those that wait for the same turn, which would otherwise wait for it.
            retry_at = datetime.now(UTC) + timedelta(seconds=random.uniform(wait / 2, wait))  # noqa: S311
            return RetryDecision(retry_at=retry_at, priority=-1)
        return None


def jobs_app(conninfo: str, database: Database, planes: Planes, clock: Clock) -> App:
    """Every job that there is."""
    app = App(
        connector=PsycopgConnector(
            conninfo=conninfo,
            min_size=1,
            max_size=4,
            timeout=POOL_WAIT,
            kwargs={"application_name": "tonnage jobs"},
        ),
        periodic_defaults={"max_delay": _CATCH_UP},
    )
    for name, (cron, function) in RECURRING.items():
        _recurring(app, name, cron, lambda function=function: function(database, planes, clock))
    _recurring(app, "jobs.take_over", "* * * * *", lambda: take_over_orphans(app))
    _recurring(app, "jobs.forget", "23 0 * * *", lambda: forget_ended(app, database))
    for name, asked in ON_DEMAND.items():
        _on_demand(app, name, database, lambda subject, asked=asked: asked(database, planes, clock, subject))
    return app


def _recurring(app: App, name: str, cron: str, function: Callable[[], Awaitable[None]]) -> None:
    # The lock keeps a run that takes longer than its period from overlapping with the next.
    @app.periodic(cron=cron, periodic_id=name)
    @app.task(name=name, lock=name, queueing_lock=name)
    async def run(timestamp: int) -> None:  # pyright: ignore[reportUnusedFunction]  registered by its decorators
        await function()


def _on_demand(app: App, name: str, database: Database, function: Callable[[str], Awaitable[None]]) -> None:
    @app.task(name=name, pass_context=True, retry=Persistent())
    async def run(context: JobContext, subject: str) -> None:  # pyright: ignore[reportUnusedFunction]
        job = context.job
        if job.id is not None and job.lock is not None:
            await database.run(lambda conn: queries.absorb(conn, job.id or 0, job.lock or ""))
        try:
            await function(subject)
        except NotFound as error:
            _log.info("job %s is about something that is gone: %s", job.call_string, error)


async def take_over_orphans(app: App) -> None:
    """Gives the jobs of workers that were killed to living ones.

    Nobody else does: such a job would stay under way for ever, and its lock would keep all later ones of its kind out.
    So every job must be fit to be done twice.
    """
    for job in await app.job_manager.get_stalled_jobs():
        _log.warning("the worker of job %s is gone; the job is done again", job.call_string)
        try:
            await app.job_manager.retry_job(job)
        except UniqueViolation:
            # The next one of its kind waits already, and only one may.
            await app.job_manager.finish_job(job, status=Status.FAILED, delete_job=True)


async def forget_ended(app: App, database: Database) -> None:
    """Removes jobs that failed a month ago or were ended from outside, and why those failed that are gone."""
    await app.job_manager.delete_old_jobs(
        _KEPT_HOURS, include_failed=True, include_cancelled=True, include_aborted=True
    )
    await database.run(queries.forget_failures)


async def work(app: App, database: Database, clock: Clock, grace: int = 20) -> None:
    """Runs jobs until it is cancelled; then those under way have `grace` seconds to finish. Outlives the database."""

    async def telling(process: Callable[[], Awaitable[Any]], context: JobContext, worker: object) -> Any:
        try:
            return await process()
        except Exception as error:
            reason = str(error) if isinstance(error, TonnageError) else repr(error)
            if context.job.id is not None:
                job_id = context.job.id
                with contextlib.suppress(psycopg.OperationalError, PoolTimeout, Unavailable):
                    await database.run(lambda conn: queries.note_failure(conn, job_id, reason, clock()))
            raise

    while True:
        try:
            async with app.open_async():
                await app.run_worker_async(
                    concurrency=_AT_ONCE,
                    install_signal_handlers=False,
                    delete_jobs="successful",
                    shutdown_graceful_timeout=grace,
                    worker_middleware=[telling],
                )
            # It also returns when its connection for notifications breaks.
            reason = "its connection has ended"
        except (ConnectorException, psycopg.OperationalError) as error:
            # Cancelled without a database, a worker ends by this error and not by the cancellation.
            if _is_cancelled():
                raise asyncio.CancelledError from error
            reason = " ".join(str(error.__cause__ or error).split())
        finally:
            # After an open that failed, only a close makes the next one start afresh.
            with contextlib.suppress(ConnectorException, psycopg.OperationalError):
                await app.close_async()
        _log.warning("the job worker starts again in %.0f s: %s", _PAUSE, reason)
        await asyncio.sleep(_PAUSE)


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0

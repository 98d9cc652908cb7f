"""Which job runs which function, and what recurs when. Any number of workers may run on one database."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from datetime import datetime

import psycopg
from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import ConnectorException, UniqueViolation
from procrastinate.jobs import Status

from tonnage.accounts import jobs as accounts
from tonnage.db import POOL_WAIT, Database
from tonnage.usage import jobs as usage

_log = logging.getLogger(__name__)

_CATCH_UP = 86_400.0
"""Seconds by which a recurring job may be late: one that fell into the night runs when the machine is on again."""

_PAUSE = 5.0
"""Seconds until the next try when the database was away."""


def jobs_app(conninfo: str, database: Database, clock: Callable[[], datetime]) -> App:
    """Every job that there is. A recurring one runs once per period, whatever the number of workers."""
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

    # A lock keeps a run that takes longer than its period from overlapping with the next.
    @app.periodic(cron="*/5 * * * *", periodic_id="accounts.purge")
    @app.task(name="accounts.purge", lock="accounts.purge", queueing_lock="accounts.purge")
    async def purge(timestamp: int) -> None:  # pyright: ignore[reportUnusedFunction]  registered by its decorators
        purged = await accounts.purge(database, clock())
        if purged:
            _log.info("purged %d storage accounts", purged)

    @app.periodic(cron="17 0 * * *", periodic_id="usage.keep_house")
    @app.task(name="usage.keep_house", lock="usage.keep_house", queueing_lock="usage.keep_house")
    async def keep_house(timestamp: int) -> None:  # pyright: ignore[reportUnusedFunction]
        await usage.keep_house(database, clock())

    @app.periodic(cron="* * * * *", periodic_id="jobs.take_over")
    @app.task(name="jobs.take_over", queueing_lock="jobs.take_over")
    async def take_over(timestamp: int) -> None:  # pyright: ignore[reportUnusedFunction]
        await take_over_orphans(app)

    return app


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


async def work(app: App) -> None:
    """Runs jobs until it is cancelled; then those under way may take 20 seconds to finish. Outlives the database."""
    while True:
        try:
            async with app.open_async():
                await app.run_worker_async(
                    concurrency=2,
                    install_signal_handlers=False,
                    delete_jobs="successful",
                    shutdown_graceful_timeout=20,
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

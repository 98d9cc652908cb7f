"""The worker of the job queue. Any number of workers may run on one database."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from procrastinate import App, JobContext, PsycopgConnector

from tonnage.access_keys import jobs as access_keys
from tonnage.authentication import jobs as authentication
from tonnage.errors import NotFound, Unavailable
from tonnage.jobs import lock_key, queries
from tonnage.jobs.declaration import DECLARED, DELETE_ENDED, TAKE_OVER, UPKEEP_LABELS, Job
from tonnage.jobs.running import (
    AWAY,
    CONNECTION_WAIT,
    CONNECTIONS,
    HeartbeatDeadline,
    RetryWhenAway,
    delete_ended,
    take_over_stalled,
)
from tonnage.metering import jobs as metering
from tonnage.provisioning import jobs as provisioning
from tonnage.regions import jobs as regions
from tonnage.services import Services
from tonnage.usage import jobs as usage

_log = logging.getLogger(__name__)

JOB_MODULES = (access_keys, authentication, metering, provisioning, regions, usage)
"""Importing them declares their jobs."""

_CATCH_UP = 86_400.0
"""Maximum delay of a recurring job in seconds: one missed overnight still runs when the machine is on again."""

_CLOCKS_APART = timedelta(minutes=5)
"""Maximum difference between this machine's clock and the database's: irreversible purges depend on the clock."""

RETRY_PAUSES = (1.0, 5.0, 30.0, 60.0)
"""Pauses in seconds before a recurring job is retried after a database outage: its next period may be far away."""


def jobs_app(
    conninfo: str, services: Services, jobs: Iterable[Job] = DECLARED.values(), pauses: Sequence[float] = RETRY_PAUSES
) -> App:
    """The queue's application, with every declared job and the queue's own.

    `conninfo` leads to the database of `services`. If that does not answer, the connections of both are opened again.
    """
    # The type of psycopg's pool is generic in the connection, the queue's is not.
    make_pool: Callable[..., Any] = services.database.pools.make
    app = App(
        connector=PsycopgConnector(
            pool_factory=make_pool,
            conninfo=conninfo,
            name="jobs",
            min_size=1,
            max_size=CONNECTIONS,
            timeout=CONNECTION_WAIT,
        ),
        periodic_defaults={"max_delay": _CATCH_UP},
    )
    app.job_manager = HeartbeatDeadline(app.connector)
    for declared in (*jobs, *_upkeep(app)):
        if declared.cron is None:
            _on_demand(app, services, declared)
        else:
            _recurring(app, services, declared, declared.cron, pauses)
    return app


def _upkeep(app: App) -> tuple[Job, Job]:
    """The queue's own jobs. They need the application that they belong to."""

    async def take_over(services: Services, subject: str) -> None:
        await take_over_stalled(app)

    async def forget(services: Services, subject: str) -> None:
        await delete_ended(app, services.database)

    return (
        Job(TAKE_OVER, UPKEEP_LABELS[TAKE_OVER], take_over, cron="* * * * *"),
        Job(DELETE_ENDED, UPKEEP_LABELS[DELETE_ENDED], forget, cron="23 0 * * *"),
    )


def _recurring(app: App, services: Services, declared: Job, cron: str, pauses: Sequence[float]) -> None:
    # The lock keeps a run that takes longer than its period from overlapping with the next. The job that takes over
    # stalled jobs has none: if its own worker was killed, the lock would block its next run.
    name = declared.name

    @app.periodic(cron=cron, periodic_id=name)
    @app.task(name=name, queue=declared.queue, lock=None if name == TAKE_OVER else name, queueing_lock=name)
    async def run(timestamp: int) -> None:  # pyright: ignore[reportUnusedFunction]  registered by its decorators
        async def attempt() -> None:
            of_database = await services.database.run(queries.drop_missed, name)
            require_clock(of_database, services.wall_clock())
            await declared.function(services, "")

        for pause in pauses:
            try:
                return await attempt()
            except AWAY as error:
                _log.warning("%s tries again in %.0f s: %s", name, pause, error)
            await asyncio.sleep(pause)
        return await attempt()


def _on_demand(app: App, services: Services, declared: Job) -> None:
    @app.task(name=declared.name, queue=declared.queue, pass_context=True, retry=RetryWhenAway())
    async def run(context: JobContext, subject: str) -> None:  # pyright: ignore[reportUnusedFunction]
        job_id, lock = context.job.id or 0, context.job.lock or lock_key(declared.name, subject)
        of_database = await services.database.run(queries.coalesce, job_id, lock)
        require_clock(of_database, services.wall_clock())
        try:
            await declared.function(services, subject)
        except NotFound as error:
            _log.info("the object of job %s no longer exists: %s", context.job.call_string, error)


def require_clock(of_database: datetime, here: datetime) -> None:
    """Unavailable unless both clocks agree: with a wrong clock, data would be purged or dropped too early."""
    apart = abs(of_database - here)
    if apart > _CLOCKS_APART:
        raise Unavailable(
            f"The clocks of this machine and of the database are {apart.total_seconds():.0f} s apart. "
            "Synchronise both with NTP."
        )

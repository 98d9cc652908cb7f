"""The worker of the job queue. Any number of workers may run on one database."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Unpack

from procrastinate import App, JobContext, PsycopgConnector

from tonnage.access.audit_sequence_actions import sequence_entries
from tonnage.access_keys import jobs as access_keys
from tonnage.alerts import jobs as alerts
from tonnage.api_keys import jobs as api_keys
from tonnage.authentication import jobs as authentication
from tonnage.billing import jobs as billing
from tonnage.contact_mails import jobs as contact_mails
from tonnage.db import connect_for_jobs
from tonnage.db.deadlines import JOB_WAIT, WaitLimit, limited
from tonnage.db.pools import Pools
from tonnage.devices import jobs as devices
from tonnage.epoch import actions as epoch_actions
from tonnage.epoch import jobs as epoch
from tonnage.epoch.epoch import OnHold
from tonnage.errors import NotFound
from tonnage.events import actions as events_actions
from tonnage.events import jobs as events
from tonnage.forecasts import jobs as forecasts
from tonnage.idempotency import jobs as idempotency
from tonnage.jobs import lock_key, queries
from tonnage.jobs.clock_check import ClockCheck, require_clock
from tonnage.jobs.declaration import DECLARED, DELETE_ENDED, TAKE_OVER, UPKEEP_LABELS, Clock, Job
from tonnage.jobs.running import (
    AWAY,
    CONNECTION_WAIT,
    CONNECTIONS,
    RetryWhenAway,
    StrictJobManager,
    delete_ended,
    take_over_stalled,
    work,
)
from tonnage.metering import jobs as metering
from tonnage.month_end import jobs as month_end
from tonnage.notices import jobs as notices
from tonnage.notifications import jobs as notifications
from tonnage.overdraft_caps import jobs as overdraft_caps
from tonnage.overrides import jobs as overrides
from tonnage.provisioning import jobs as provisioning
from tonnage.regions import jobs as regions
from tonnage.regions.backends import open_backends
from tonnage.security_events import jobs as security_events
from tonnage.services import ServiceOptions, Services
from tonnage.statement_mails import jobs as statement_mails
from tonnage.suspensions import jobs as suspensions
from tonnage.usage import jobs as usage
from tonnage.webhooks import delivery_actions as webhook_actions
from tonnage.webhooks import jobs as webhooks

_log = logging.getLogger(__name__)

JOB_MODULES = (
    access_keys,
    alerts,
    api_keys,
    authentication,
    billing,
    contact_mails,
    devices,
    epoch,
    events,
    forecasts,
    idempotency,
    metering,
    month_end,
    notices,
    notifications,
    overdraft_caps,
    overrides,
    provisioning,
    regions,
    security_events,
    statement_mails,
    suspensions,
    usage,
    webhooks,
)
"""Importing them declares their jobs."""

_CATCH_UP = 86_400.0
"""Maximum delay of a recurring job in seconds: one missed overnight still runs when the machine is on again."""

RETRY_PAUSES = (1.0, 5.0, 30.0, 60.0)
"""Pauses in seconds before a recurring job is retried after a database outage: its next period may be far away."""

SEQUENCE_PAUSE = 2.0
"""Seconds until the next look for entries of the audit log without a position. Too short for a job, which recurs by
minutes and leaves a trace in the queue each time."""


@asynccontextmanager
async def job_services(
    conninfo: str, pools: Pools | None = None, **options: Unpack[ServiceOptions]
) -> AsyncGenerator[Services]:
    """The services of jobs: with pools of their own, so that neither jobs nor requests starve the other. `pools`: the
    other pools of the process.
    """
    async with (
        connect_for_jobs(conninfo, pools) as database,
        open_backends(database, options.get("key_file")) as backends,
    ):
        yield Services(database, backends, **options)


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
    clock_check = ClockCheck(services.database, services.wall_clock)
    app.job_manager = StrictJobManager(app.connector, may_take_jobs=clock_check.agrees)
    for declared in (*jobs, *_upkeep(app)):
        if declared.clock is Clock.BUSINESS and services.sandbox_time is not None:
            continue  # it recurs when the clock is advanced
        if declared.cron is None:
            _on_demand(app, services, declared)
        else:
            _recurring(app, services, declared, declared.cron, pauses)
    return app


async def run_jobs(conninfo: str, services: Services) -> None:
    """Runs jobs until cancelled. None is taken before the database was compared with what is recorded outside of it:
    at the start, and whenever the connection was lost, since another database may be there then.

    Beside them the audit log gets its positions, and becomes events.
    """

    async def first() -> None:
        await epoch_actions.check(services)

    async with asyncio.TaskGroup() as group:
        sequencing = group.create_task(sequence_forever(services))
        await work(jobs_app(conninfo, services), services, first=first)
        sequencing.cancel()


async def sequence_forever(services: Services, pause: float = SEQUENCE_PAUSE) -> None:
    """Gives the entries of the audit log their positions, and makes events of them, within seconds of their commit,
    until cancelled."""
    failed = False
    while True:
        try:
            with limited(WaitLimit(JOB_WAIT)):
                await sequence_entries(services.database)
                await events_actions.publish(services.database)
                await webhook_actions.queue_deliveries(services.database, services.wall_clock())
            failed = False
        except Exception as error:
            # Jobs go on in any case. One line for an outage; the worker itself says when it is over.
            if not failed:
                _log.error("entries of the audit log get their positions later", exc_info=not isinstance(error, AWAY))
            failed = True
        await asyncio.sleep(pause)


def _upkeep(app: App) -> tuple[Job, Job]:
    """The queue's own jobs. They need the application that they belong to."""

    async def take_over(services: Services, subject: str) -> None:
        await take_over_stalled(app)

    async def forget(services: Services, subject: str) -> None:
        await delete_ended(app, services.database)

    return (
        Job(TAKE_OVER, UPKEEP_LABELS[TAKE_OVER], take_over, cron="* * * * *", clock=Clock.WALL),
        Job(DELETE_ENDED, UPKEEP_LABELS[DELETE_ENDED], forget, cron="23 0 * * *", clock=Clock.WALL),
    )


def _recurring(app: App, services: Services, declared: Job, cron: str, pauses: Sequence[float]) -> None:
    # The lock keeps a run that takes longer than its period from overlapping with the next. The job that takes over
    # stalled jobs has none: if its own worker was killed, the lock would block its next run.
    name = declared.name

    @app.periodic(cron=cron, periodic_id=name)
    @app.task(name=name, queue=declared.stored_queue, lock=None if name == TAKE_OVER else name, queueing_lock=name)
    async def run(timestamp: int) -> None:  # pyright: ignore[reportUnusedFunction]  registered by its decorators
        async def attempt() -> None:
            of_database = await services.database.run(queries.drop_missed, name)
            require_clock(of_database, services.wall_clock())
            await perform(services, declared, "")

        for pause in pauses:
            try:
                return await attempt()
            except OnHold as error:
                # Its next period covers this one.
                _log.info("%s is left out: %s", name, error)
                return None
            except AWAY as error:
                _log.warning("%s tries again in %.0f s: %s", name, pause, error)
            await asyncio.sleep(pause)
        return await attempt()


def _on_demand(app: App, services: Services, declared: Job) -> None:
    @app.task(name=declared.name, queue=declared.stored_queue, pass_context=True, retry=RetryWhenAway())
    async def run(context: JobContext, subject: str) -> None:  # pyright: ignore[reportUnusedFunction]
        job_id, lock = context.job.id or 0, context.job.lock or lock_key(declared.name, subject)
        of_database = await services.database.run(queries.coalesce, job_id, lock)
        require_clock(of_database, services.wall_clock())
        try:
            await perform(services, declared, subject)
        except NotFound as error:
            _log.info("the object of job %s no longer exists: %s", context.job.call_string, error)


async def perform(services: Services, declared: Job, subject: str) -> None:
    """Runs a job once. OnHold: it has to wait, because the database may be older than what was done."""
    await services.business_now()
    if declared.waits_on_hold:
        await epoch_actions.require_running(services)
    await declared.function(services, subject)

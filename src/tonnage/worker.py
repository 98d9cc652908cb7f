"""Which job runs which function, and what recurs when. Any number of workers may run on one database."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import TypeAlias

from procrastinate import App, JobContext, PsycopgConnector

from tonnage.access import jobs as access
from tonnage.accounts import jobs as accounts
from tonnage.clock import Clock
from tonnage.db import Database
from tonnage.errors import NotFound, Unavailable
from tonnage.jobs import queries, queue_of, turn
from tonnage.jobs.running import (
    AWAY,
    CONNECTION_WAIT,
    CONNECTIONS,
    Persistent,
    forget_ended,
    take_over_orphans,
)
from tonnage.mail import Post
from tonnage.regions import jobs as regions
from tonnage.regions.planes import Planes
from tonnage.usage import jobs as usage

_log = logging.getLogger(__name__)

Recurring: TypeAlias = Callable[[Database, Planes, Clock], Awaitable[None]]
OnDemand: TypeAlias = Callable[[Database, Planes, Clock, str], Awaitable[None]]
Mailing: TypeAlias = Callable[[Database, Post, Clock, str], Awaitable[None]]

RECURRING: dict[str, tuple[str, Recurring]] = {
    "access.keep_house": ("29 0 * * *", lambda database, planes, clock: access.keep_house(database, clock)),
    "accounts.purge": ("*/5 * * * *", accounts.purge),
    "accounts.settle_all": ("* * * * *", accounts.settle_all),
    "accounts.sweep_all": ("41 */6 * * *", accounts.sweep_all),
    "regions.look_after": ("* * * * *", regions.look_after),
    "usage.keep_house": ("17 0 * * *", usage.keep_house),
    "usage.sample_all": ("0 * * * *", usage.sample_all),
}
"""When it runs, once per period whatever the number of workers, and what."""

ON_DEMAND: dict[str, OnDemand] = {
    "accounts.prove": accounts.prove,
    "accounts.purge_region": accounts.purge_region,
    "accounts.reconcile": accounts.reconcile,
    "accounts.requota": accounts.requota,
    "accounts.settle": accounts.settle,
    "accounts.sweep": accounts.sweep,
    "usage.sample": usage.sample,
}
"""What can be asked for with `jobs.defer`."""

MAILING: dict[str, Mailing] = {
    "access.send_reset": access.send_reset,
    "access.tell_blocked": access.tell_blocked,
}
"""The same, of what writes to people."""

_CATCH_UP = 86_400.0
"""Seconds by which a recurring job may be late: one that fell into the night runs when the machine is on again."""

_CLOCKS_APART = timedelta(minutes=5)
"""By how much this machine's clock and the database's may differ: by the clock things are purged for good."""

_BLIPS = (1.0, 5.0, 30.0, 60.0)
"""Seconds after which a recurring job tries again what the database did not let it do: its next period may be far."""


def jobs_app(conninfo: str, database: Database, planes: Planes, clock: Clock, post: Post) -> App:
    """Every job that there is."""
    app = App(
        connector=PsycopgConnector(
            conninfo=conninfo,
            min_size=1,
            max_size=CONNECTIONS,
            timeout=CONNECTION_WAIT,
            kwargs={"application_name": "tonnage jobs"},
        ),
        periodic_defaults={"max_delay": _CATCH_UP},
    )
    for name, (cron, function) in RECURRING.items():
        _recurring(app, name, cron, database, clock, lambda function=function: function(database, planes, clock))
    _recurring(app, "jobs.take_over", "* * * * *", database, clock, lambda: take_over_orphans(app), takes_turns=False)
    _recurring(app, "jobs.forget", "23 0 * * *", database, clock, lambda: forget_ended(app, database))
    for name, asked in ON_DEMAND.items():
        _on_demand(app, name, database, clock, lambda subject, asked=asked: asked(database, planes, clock, subject))
    for name, mailing in MAILING.items():
        _on_demand(app, name, database, clock, lambda subject, mailing=mailing: mailing(database, post, clock, subject))
    return app


def _recurring(
    app: App,
    name: str,
    cron: str,
    database: Database,
    clock: Clock,
    function: Callable[[], Awaitable[None]],
    *,
    takes_turns: bool = True,
) -> None:
    # The lock keeps a run that takes longer than its period from overlapping with the next. Whoever takes jobs over
    # must have none: it would keep the next one out if its own worker was killed.
    @app.periodic(cron=cron, periodic_id=name)
    @app.task(name=name, lock=name if takes_turns else None, queueing_lock=name)
    async def run(timestamp: int) -> None:  # pyright: ignore[reportUnusedFunction]  registered by its decorators
        async def attempted() -> None:
            require_clock(await database.run(lambda conn: queries.forget_missed(conn, name)), clock())
            await function()

        for pause in _BLIPS:
            try:
                return await attempted()
            except AWAY as error:
                _log.warning("%s tries again in %.0f s: %s", name, pause, error)
            await asyncio.sleep(pause)
        return await attempted()


def _on_demand(
    app: App, name: str, database: Database, clock: Clock, function: Callable[[str], Awaitable[None]]
) -> None:
    @app.task(name=name, queue=queue_of(name), pass_context=True, retry=Persistent())
    async def run(context: JobContext, subject: str) -> None:  # pyright: ignore[reportUnusedFunction]
        job_id, lock = context.job.id or 0, context.job.lock or turn(name, subject)
        require_clock(await database.run(lambda conn: queries.absorb(conn, job_id, lock)), clock())
        try:
            await function(subject)
        except NotFound as error:
            _log.info("job %s is about something that is gone: %s", context.job.call_string, error)


def require_clock(of_database: datetime, here: datetime) -> None:
    """Unavailable unless both clocks agree: by a wrong one things would be purged, or dropped, before their time."""
    apart = abs(of_database - here)
    if apart > _CLOCKS_APART:
        raise Unavailable(
            f"The clocks of this machine and of the database are {apart.total_seconds():.0f} s apart; "
            "synchronise both with NTP."
        )

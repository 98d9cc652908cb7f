"""`tonnage worker`: the jobs, in a process of their own."""

import asyncio
import gc
import logging
from contextlib import suppress
from functools import partial

import click
import uvloop

from tonnage import embedded
from tonnage.cli import logs
from tonnage.cli.context import find_sandbox, fit, on_database, prove_keys, require_changeable
from tonnage.cli.database_wait import DatabaseCheck
from tonnage.cli.mailer import mailer
from tonnage.cli.privileges import drop_privileges
from tonnage.cli.services import configured_options
from tonnage.cli.shutdown import GracefulShutdown
from tonnage.config import DatabaseUrls, Settings
from tonnage.mail import Mailer
from tonnage.sandbox_clock import SandboxClock
from tonnage.services import LOCAL_ORIGIN
from tonnage.worker import job_services, run_jobs

_log = logging.getLogger(__name__)


@click.command()
@on_database
@logs.log_options
def worker(settings: Settings, log_level: str, log_format: str) -> None:
    """Run the jobs until SIGTERM or Ctrl-C.

    For a server that runs with --no-worker, or to help one that is too slow. On a signal, jobs in progress get up to 20
    seconds to finish; a second signal does not wait for them. It waits for a database that cannot be reached. Without
    --database-url the server must already be running.
    """
    logs.configure(log_level, log_format)
    ending = GracefulShutdown()
    with ending.watched(), ending.over_afterwards():
        # Not on a server of its own, as other commands: it would keep `serve` out for as long as it runs.
        urls = settings.database_urls or embedded.running_urls(settings.data_dir)
        clock = SandboxClock()
        DatabaseCheck(partial(_check, urls, settings, clock)).wait()
        if settings.public_url is None:
            _log.warning("Links in mails use %s, because TONNAGE_PUBLIC_URL is not set.", LOCAL_ORIGIN)
        drop_privileges(settings)
        gc.freeze()  # what was loaded stays: no collection looks through it any more
        uvloop.run(_work(urls.program, settings, mailer(settings, LOCAL_ORIGIN, clock), clock, ending))


def _check(urls: DatabaseUrls, settings: Settings, clock: SandboxClock) -> None:
    fit(urls, automatically=False)
    require_changeable(urls.program)
    prove_keys(urls.program, settings)
    find_sandbox(urls.program, clock)


async def _work(
    conninfo: str, settings: Settings, outgoing: Mailer, clock: SandboxClock, ending: GracefulShutdown
) -> None:
    async with job_services(
        conninfo,
        mailer=outgoing,
        **configured_options(settings),
        **clock.options,
    ) as services:
        loop = asyncio.get_running_loop()
        task = loop.create_task(run_jobs(conninfo, services))

        def stop() -> None:
            loop.call_soon_threadsafe(task.cancel)

        with ending.running(stop, stop), suppress(asyncio.CancelledError):
            click.echo("Tonnage runs jobs")
            await task

"""`tonnage worker`: the jobs, in a process of their own."""

import asyncio
import logging
from contextlib import suppress
from pathlib import Path

import click

from tonnage import embedded
from tonnage.cli import logs
from tonnage.cli.context import fit, key_file, on_database, prove_keys, require_changeable
from tonnage.cli.mailer import mailer
from tonnage.cli.shutdown import GracefulShutdown
from tonnage.config import Settings
from tonnage.db import connect
from tonnage.jobs.running import work
from tonnage.mail import Mailer
from tonnage.regions.backends import open_backends
from tonnage.services import LOCAL_ORIGIN, Services
from tonnage.worker import jobs_app

_log = logging.getLogger(__name__)


@click.command()
@on_database
@logs.log_level
def worker(settings: Settings, log_level: str) -> None:
    """Run the jobs until SIGTERM or Ctrl-C.

    For a server that runs with --no-worker, or to help one that is too slow. On a signal, jobs in progress get up to 20
    seconds to finish; a second signal does not wait for them. Without --database-url the server must already be
    running.
    """
    logs.configure(log_level)
    ending = GracefulShutdown()
    with ending.watched(), ending.over_afterwards():
        # Not on a server of its own, as other commands: it would keep `serve` out for as long as it runs.
        conninfo = settings.database_url or embedded.running_url(settings.data_dir)
        fit(conninfo, automatically=False)
        require_changeable(conninfo)
        prove_keys(conninfo, settings)
        if settings.public_url is None:
            _log.warning("Links in mails use %s, because TONNAGE_PUBLIC_URL is not set.", LOCAL_ORIGIN)
        asyncio.run(_work(conninfo, key_file(settings), mailer(settings, LOCAL_ORIGIN), ending))


async def _work(conninfo: str, keys: Path | None, outgoing: Mailer, ending: GracefulShutdown) -> None:
    async with connect(conninfo, size=4, streams=1) as database, open_backends(database, keys) as backends:
        services = Services(database, backends, mailer=outgoing, key_file=keys)
        loop = asyncio.get_running_loop()
        task = loop.create_task(work(jobs_app(conninfo, services), services))

        def stop() -> None:
            loop.call_soon_threadsafe(task.cancel)

        with ending.running(stop, stop), suppress(asyncio.CancelledError):
            click.echo("Tonnage runs jobs")
            await task

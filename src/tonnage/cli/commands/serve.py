"""`tonnage serve`: the API, its jobs, and the database unless there is one."""

import gc
import logging
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial

import click

from tonnage import embedded
from tonnage.asgi import create_app
from tonnage.cli import logs
from tonnage.cli.connection_limits import ClientConnectionLimits, most_connections, raise_file_limit
from tonnage.cli.context import (
    find_sandbox,
    fit,
    of_sandbox,
    on_database,
    override,
    prove_keys,
    require_changeable,
)
from tonnage.cli.database_wait import DatabaseCheck, DatabaseGate
from tonnage.cli.http_server import HttpServer
from tonnage.cli.listener import Listener, bound
from tonnage.cli.mailer import mailer
from tonnage.cli.param_types import DAY
from tonnage.cli.prepared_data import PreparedData
from tonnage.cli.privileges import drop_privileges
from tonnage.cli.services import configured_options
from tonnage.cli.shutdown import GracefulShutdown
from tonnage.config import DatabaseUrls, Settings
from tonnage.sandbox_clock import SandboxClock
from tonnage.services import Services, SignInSettings
from tonnage.web.proxy_headers import is_secure
from tonnage.worker import run_jobs

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Options:
    """What the command was asked for."""

    data: PreparedData
    with_worker: bool
    access_log: bool
    limits: ClientConnectionLimits


@click.command()
@on_database
@click.option("--host", default="127.0.0.1", metavar="HOST", show_default=True, help="The address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8080,
    metavar="PORT",
    show_default=True,
    help="The port to listen on; 0 picks a free one.",
)
@click.option(
    "--public-url",
    metavar="URL",
    expose_value=False,
    callback=override,
    help="The public URL of the console, such as https://console.example.com.  [env var: TONNAGE_PUBLIC_URL]",
)
@click.option(
    "--trusted-proxy",
    "trusted_proxies",
    multiple=True,
    metavar="ADDRESS",
    expose_value=False,
    callback=override,
    help="A proxy, or a network of proxies, whose X-Forwarded-For is trusted.  [env var: TONNAGE_TRUSTED_PROXIES]",
)
@click.option("--demo", "with_demo", is_flag=True, help="Load sample data into an empty database.")
@click.option(
    "--sandbox", "with_sandbox", is_flag=True, help="Start a sandbox, whose clock stands until it is advanced."
)
@click.option(
    "--at",
    type=DAY,
    metavar="DAY",
    help="The day on which a new sandbox begins. [default: today]",
)
@click.option("--worker/--no-worker", "with_worker", default=True, help="Run the jobs in this process. [default: yes]")
@click.option("--access-log", is_flag=True, help="Log every request.")
@logs.log_options
def serve(
    settings: Settings,
    host: str,
    port: int,
    with_demo: bool,
    with_sandbox: bool,
    at: date | None,
    with_worker: bool,
    access_log: bool,
    log_level: str,
    log_format: str,
) -> None:
    """Run the API until SIGTERM or Ctrl-C.

    Without --database-url it runs its own PostgreSQL in --data-dir, and keeps its schema up to date.

    On the first signal it accepts no more requests, gives those in progress 20 seconds, then stops the jobs and the
    database. A second signal does not wait for requests. If the database of --database-url cannot be reached at the
    start, it answers 503 until it can. If the embedded PostgreSQL stops by itself, this command exits
    with status 1; start it again and the database recovers.

    A sandbox is an installation for trials: it has a clock of its own, which `tonnage sandbox` advances. Its default
    directory is another one than that of other installations, and its database remains a sandbox.
    """
    data = PreparedData(with_demo, with_sandbox, at)
    settings = of_sandbox(settings) if with_sandbox else settings
    logs.configure(log_level, log_format)
    options = Options(data, with_worker, access_log, _limits(settings))
    ending, clock = GracefulShutdown(), SandboxClock()
    with bound(host, port) as listener, ending.watched(), _database(settings, ending) as urls:
        check = DatabaseCheck(partial(_check, urls, settings, clock))
        waits = settings.database_url is not None and not data.is_any  # an embedded database runs; data comes first
        if not waits:
            _check(urls, settings, clock)
        prepared = data.prepare(urls.program, settings, f"{listener.origin}/v1", clock)
        has_passed = not waits or check.passes()
        drop_privileges(settings)
        gc.freeze()  # what was loaded stays: no collection looks through it any more
        banner = [*_banner(listener), *prepared]
        _run(urls.program, settings, options, listener, ending, clock, banner, None if has_passed else check)


def _limits(settings: Settings) -> ClientConnectionLimits:
    return ClientConnectionLimits(
        most_connections(settings.max_connections, raise_file_limit()),
        settings.max_connections_per_client,
        settings.trusted_proxies,
    )


def _check(urls: DatabaseUrls, settings: Settings, clock: SandboxClock) -> None:
    fit(urls, automatically=not settings.database_url)
    require_changeable(urls.program)
    prove_keys(urls.program, settings)
    find_sandbox(urls.program, clock)


@contextmanager
def _database(settings: Settings, ending: GracefulShutdown) -> Generator[DatabaseUrls]:
    def fail(sentence: str) -> None:
        _log.error("%s The server stops. Start it again and the database recovers.", sentence)
        ending.fail()

    with ExitStack() as stack:
        urls = settings.database_urls or stack.enter_context(embedded.serve(settings.data_dir, on_end=fail))
        stack.enter_context(ending.over_afterwards())
        yield urls


def _banner(listener: Listener) -> list[str]:
    return [
        f"Open the console at {listener.origin}/",
        f"Tonnage serves {listener.origin}/v1",
        f"Try the API at {listener.origin}/swagger/index.html",
    ]


def _sign_in(settings: Settings) -> SignInSettings:
    idle = timedelta(minutes=settings.session_idle_minutes)
    return SignInSettings(idle, settings.public_url, settings.trusted_proxies)


def _run(
    conninfo: str,
    settings: Settings,
    options: Options,
    listener: Listener,
    ending: GracefulShutdown,
    clock: SandboxClock,
    banner: list[str],
    check: DatabaseCheck | None,
) -> None:
    """`check`: what has to pass before requests are served and jobs are run; None: it has passed."""

    async def jobs(services: Services) -> None:
        if gate:
            await gate.opened.wait()
        await run_jobs(conninfo, services)

    app = create_app(
        conninfo,
        **clock.options,
        mailer=mailer(settings, listener.origin, clock),
        **configured_options(settings),
        embedded_dir=None if settings.database_url else settings.data_dir,
        sign_in=_sign_in(settings),
        limits=settings.limits,
        with_samples=options.data.demo,
        cors_origins=settings.cors_origins,
        beside=jobs if options.with_worker else None,
    )
    gate = DatabaseGate(app, check, settings.public_url) if check else None
    secure = is_secure({}, settings.public_url)
    server = HttpServer(gate or app, listener, banner, options.limits, access_log=options.access_log, secure=secure)
    with ending.running(server.stop, server.hurry):
        server.run_until_stopped()
    if ending.failed:
        raise SystemExit(1)

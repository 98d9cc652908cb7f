"""`tonnage serve`: the API, its jobs, and the database unless there is one."""

import asyncio
import logging
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import click

from tonnage import demo, embedded
from tonnage.asgi import create_app
from tonnage.cli import logs
from tonnage.cli.connection_limits import ClientConnectionLimits, most_connections, raise_file_limit
from tonnage.cli.context import fit, key_file, on_database, override, prove_keys, require_changeable
from tonnage.cli.database_wait import DatabaseCheck, DatabaseGate
from tonnage.cli.http_server import HttpServer
from tonnage.cli.listener import Listener, bound
from tonnage.cli.mailer import mailer
from tonnage.cli.privileges import drop_privileges
from tonnage.cli.shutdown import GracefulShutdown
from tonnage.clock import system_time
from tonnage.config import DatabaseUrls, Settings
from tonnage.db import connect
from tonnage.services import Services, SignInSettings
from tonnage.web.proxy_headers import is_secure
from tonnage.worker import run_jobs

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Options:
    """What the command was asked for."""

    with_demo: bool
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
@click.option("--worker/--no-worker", "with_worker", default=True, help="Run the jobs in this process. [default: yes]")
@click.option("--access-log", is_flag=True, help="Log every request.")
@logs.log_options
def serve(
    settings: Settings,
    host: str,
    port: int,
    with_demo: bool,
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
    """
    logs.configure(log_level, log_format)
    limits = ClientConnectionLimits(
        most_connections(settings.max_connections, raise_file_limit()),
        settings.max_connections_per_client,
        settings.trusted_proxies,
    )
    ending = GracefulShutdown()
    with bound(host, port) as listener, ending.watched(), _database(settings, ending) as urls:
        check = DatabaseCheck(partial(_check, urls, settings))
        # A demo is prepared before anything is served; an embedded database runs.
        waits = settings.database_url is not None and not with_demo
        if not waits:
            _check(urls, settings)
        banner = _prepare_demo(urls.program, settings, listener) if with_demo else _banner(listener)
        options = Options(with_demo, with_worker, access_log, limits)
        has_passed = not waits or check.passes()
        drop_privileges(settings)
        _run(urls.program, settings, options, listener, ending, banner, None if has_passed else check)


def _check(urls: DatabaseUrls, settings: Settings) -> None:
    fit(urls, automatically=not settings.database_url)
    require_changeable(urls.program)
    prove_keys(urls.program, settings)


@contextmanager
def _database(settings: Settings, ending: GracefulShutdown) -> Generator[DatabaseUrls]:
    def fail(sentence: str) -> None:
        _log.error("%s The server stops. Start it again and the database recovers.", sentence)
        ending.fail()

    with ExitStack() as stack:
        urls = settings.database_urls or stack.enter_context(embedded.serve(settings.data_dir, on_end=fail))
        stack.enter_context(ending.over_afterwards())
        yield urls


def _prepare_demo(conninfo: str, settings: Settings, listener: Listener) -> list[str]:
    async def prepare() -> demo.Demo:
        async with connect(conninfo, size=2, streams=1) as database:
            return await demo.prepare(database, settings.data_dir, f"{listener.origin}/v1", system_time())

    try:
        # With a database elsewhere nothing has needed the directory so far.
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        prepared = asyncio.run(prepare())
    except demo.DemoRefused as error:
        raise click.UsageError(str(error)) from error
    return [
        *_banner(listener),
        f"Sign in as one of these members; passwords and API keys are in {prepared.key_file}:",
        *(f"  {organisation}: {', '.join(emails)}" for organisation, emails in prepared.logins.items()),
        "To try the API, press Authorize and paste:",
        f"Bearer {prepared.admin_key}",
    ]


def _banner(listener: Listener) -> list[str]:
    return [
        f"Open the console at {listener.origin}/",
        f"Tonnage serves {listener.origin}/v1",
        f"Try the API at {listener.origin}/swagger/index.html",
    ]


def _run(
    conninfo: str,
    settings: Settings,
    options: Options,
    listener: Listener,
    ending: GracefulShutdown,
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
        mailer=mailer(settings, listener.origin),
        deletion_grace_days=settings.deletion_grace_days,
        client_address_days=settings.client_address_days,
        audit_months=settings.audit_months,
        embedded_dir=None if settings.database_url else settings.data_dir,
        key_file=key_file(settings),
        data_dir=settings.data_dir,
        sign_in=SignInSettings(
            timedelta(minutes=settings.session_idle_minutes), settings.public_url, settings.trusted_proxies
        ),
        limits=settings.limits,
        with_samples=options.with_demo,
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

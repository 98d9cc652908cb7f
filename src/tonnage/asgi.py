"""The web application: the routes of every feature, the middleware, and the process's resources while it serves."""

import asyncio
import contextlib
import ctypes
import gc
import json
import logging
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Unpack

from fastapi import APIRouter, FastAPI, Request
from starlette.responses import Response

from tonnage import __version__, console, metrics
from tonnage.access_keys import api as access_keys
from tonnage.accounts import api as accounts
from tonnage.alerts import api as alerts
from tonnage.api_keys import api as api_keys
from tonnage.api_keys.guard import has_operators_key, record_forbidden, services_of
from tonnage.api_keys.key_cache import KeyCache
from tonnage.api_keys.rate_limit_middleware import RateLimitMiddleware
from tonnage.billing_profiles import api as billing_profiles
from tonnage.contact_mails import api as contact_mails
from tonnage.contracts import api as contracts
from tonnage.credit_notes import api as credit_notes
from tonnage.db import Connection, connect
from tonnage.db.deadlines import limited, request_limit
from tonnage.db.failures import UNAVAILABLE
from tonnage.embedded.disk import is_full
from tonnage.epoch.queries import cursor_key, rendered_hold
from tonnage.error_codes import UnavailableCode
from tonnage.errors import Unavailable
from tonnage.events import api as events
from tonnage.forecasts import api as forecasts
from tonnage.jobs.lists import STATUSES as JOB_STATUSES
from tonnage.jobs.queries import job_counts
from tonnage.members import api as members
from tonnage.metering import api as metering
from tonnage.migrations import state
from tonnage.month_end import api as month_end
from tonnage.overdraft_caps import api as overdraft_caps
from tonnage.overrides import api as overrides
from tonnage.partners import api as partners
from tonnage.price_books import api as price_books
from tonnage.price_previews import api as price_previews
from tonnage.regions import api as regions
from tonnage.regions.backends import open_backends
from tonnage.regions.queries import troubles
from tonnage.sandbox import api as sandbox
from tonnage.services import ServiceOptions, Services, SignInSettings
from tonnage.statements import api as statements
from tonnage.suspensions import api as suspensions
from tonnage.usage import api as usage
from tonnage.web import document_texts, error_documentation, openapi, problem, swagger_ui
from tonnage.web.compression import Compression
from tonnage.web.cross_origin import CrossOrigin
from tonnage.web.deprecation import DEPRECATIONS, Deprecations, require_operations
from tonnage.web.middleware import RequestMiddleware
from tonnage.web.page_links import NextPageLinks
from tonnage.web.proxy_headers import ProxyHeaders, UntrustedProxy, UntrustedProxyCheck
from tonnage.web.request_metrics import Requests
from tonnage.web.responses import Json
from tonnage.web.routing import mount
from tonnage.webhooks import api as webhooks
from tonnage.worker import job_services  # also declares every job: a request may defer any of them

_log = logging.getLogger(__name__)

_FLUSH_SECONDS = 30

_GRACE, _GRACE_IF_FULL = 25.0, 5.0
"""Seconds for the clean-up of what runs beside the requests."""

_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3
"""As in glibc's malloc.h."""


def create_app(
    conninfo: str,
    *,
    with_samples: bool = False,
    cors_origins: tuple[str, ...] = (),
    deprecations: Deprecations = DEPRECATIONS,
    beside: Callable[[Services], Coroutine[None, None, None]] | None = None,
    **options: Unpack[ServiceOptions],
) -> FastAPI:
    """An application on the database at `conninfo`, whose schema must be current. Its pools open with its lifespan.

    `beside` runs in the same process during the lifespan, such as a worker of the job queue. Its services have pools
    and clients of their own.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        async with connect(conninfo) as database, contextlib.AsyncExitStack() as stack:
            backends = await stack.enter_async_context(open_backends(database, options.get("key_file")))
            app.state.services = services = Services(database, backends, **options)
            app.state.page_links = NextPageLinks(partial(database.run, cursor_key))
            app.state.key_cache = key_cache = KeyCache(database, services.wall_clock)
            await stack.enter_async_context(_flushing(key_cache))
            if beside:
                for_jobs = await stack.enter_async_context(job_services(conninfo, database.pools, **options))
                await stack.enter_async_context(_jobs_alongside(beside(for_jobs), services))
            console.prepare()
            _tune_memory()
            yield

    app = _bare(lifespan)
    settings = options.get("sign_in", SignInSettings())
    _add_proxy_middleware(app, settings)
    pages = console.routes + (console.sample_routes if with_samples else ())
    _add_routes(app, pages, deprecations, settings.public_url)
    if cors_origins:
        app.add_middleware(CrossOrigin, origins=cors_origins)
    return app


def _add_proxy_middleware(app: FastAPI, settings: SignInSettings) -> None:
    app.state.public_url = settings.public_url
    if settings.trusted_proxies:
        app.add_middleware(ProxyHeaders, trusted=settings.trusted_proxies)
    app.state.untrusted_proxy = untrusted = UntrustedProxy()
    app.add_middleware(UntrustedProxyCheck, trusted=settings.trusted_proxies, found=untrusted)


def _bare(lifespan: Callable[[FastAPI], AbstractAsyncContextManager[None]]) -> FastAPI:
    return FastAPI(
        title="Tonnage",
        version=__version__,
        description=document_texts.ABOUT,
        license_info=document_texts.LICENSE,
        openapi_tags=document_texts.TAGS,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
        # Nothing consumes them here, and checking for a consumer would cost time on every request.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )


_MONEY = (*price_books.routes, price_previews.routes, *statements.routes, credit_notes.routes, month_end.routes)
_CAPACITY = (alerts.routes, forecasts.routes, overrides.routes, overdraft_caps.routes, suspensions.routes)
_SIGNALS = (*_CAPACITY, events.routes, contact_mails.routes, *webhooks.routes)


def _add_routes(app: FastAPI, pages: tuple[APIRouter, ...], deprecations: Deprecations, public_url: str | None) -> None:
    problem.install(app, record_forbidden)
    console.install(app)
    app.state.requests = requests = Requests()
    app.add_middleware(RateLimitMiddleware)
    app.add_middleware(Compression)
    app.add_middleware(RequestMiddleware, requests=requests, deprecations=deprecations, public_url=public_url)
    app.add_api_route("/healthz", healthz, include_in_schema=False)
    app.add_api_route("/readyz", readyz, include_in_schema=False)
    openapi.install(app, deprecations, document_texts.PATH_PARAMETERS)
    error_documentation.install(app)
    swagger_ui.install(app)
    mount(
        app,
        contracts.routes,
        partners.routes,
        partners.extensions,
        members.routes,
        *accounts.routes,
        access_keys.routes,
        usage.routes,
        *_MONEY,
        *_SIGNALS,
        api_keys.routes,
        *metering.routes,
        regions.routes,
        *billing_profiles.routes,
        sandbox.routes,
        metrics.routes,
        *pages,
    )
    require_operations(app, deprecations)


async def healthz() -> Response:
    """The process is running."""
    return Json(b'{"status":"ok"}')


async def readyz(request: Request) -> Response:
    """The database responds and its schema is current; else 503 with the reason. An operator's key is also given the
    schema, the jobs, the unhealthy regions and a hold: most requests need no cluster, and work that does waits for it.
    """
    services = services_of(request)
    if services.embedded_dir and is_full(services.embedded_dir):
        raise Unavailable(problem.DISK_FULL, UnavailableCode.DATABASE_READ_ONLY)
    database = services.database
    found = await database.run(state)
    misfit = found.problem()
    if misfit:
        raise Unavailable(misfit, UnavailableCode.DATABASE_UNAVAILABLE)
    if not await has_operators_key(request):
        return Json(b'{"status":"ready"}')
    return Json(await database.run(_report, str(found.database)))


async def _report(conn: Connection, schema: str) -> bytes:
    jobs: Counter[str] = Counter()
    for one in await job_counts(conn):
        jobs[one.status] += one.jobs
    return b'{"status":"ready","database":%b,"jobs":%b,"unhealthyRegions":%b,"onHold":%b}' % (
        json.dumps({"schema": schema}).encode(),
        json.dumps({status: jobs[status] for status in JOB_STATUSES}).encode(),
        await troubles(conn) or b"[]",
        await rendered_hold(conn) or b"null",
    )


@asynccontextmanager
async def _jobs_alongside(coroutine: Coroutine[None, None, None], services: Services) -> AsyncGenerator[None]:
    """The same for jobs. While the disk of an embedded database is full, their ends cannot be recorded, and would be
    tried for minutes.
    """
    async with _alongside(coroutine, services.embedded_dir):
        yield
    if services.embedded_dir and is_full(services.embedded_dir):
        await services.database.pools.close()


@asynccontextmanager
async def _alongside(coroutine: Coroutine[None, None, None], data_dir: Path | None = None) -> AsyncGenerator[None]:
    """Runs a coroutine during the block; then cancels it and waits for its clean-up, for a short time while the disk of
    an embedded database is full.
    """
    task = asyncio.create_task(coroutine)
    task.add_done_callback(_log_failure)
    try:
        yield
    finally:
        task.cancel()
        full = data_dir is not None and is_full(data_dir)
        await asyncio.wait([task], timeout=_GRACE_IF_FULL if full else _GRACE)


def _log_failure(task: "asyncio.Task[None]") -> None:
    if not task.cancelled() and (error := task.exception()):
        _log.error("a background task of the server has stopped; restart the server", exc_info=error)


@asynccontextmanager
async def _flushing(key_cache: KeyCache) -> AsyncGenerator[None]:
    """Writes the last-used times of API keys periodically, and at the end."""
    async with _alongside(_flush_forever(key_cache)):
        yield
    with contextlib.suppress(*UNAVAILABLE, Unavailable), limited(request_limit()):
        await key_cache.flush()


async def _flush_forever(key_cache: KeyCache) -> None:
    while True:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_FLUSH_SECONDS):
                await key_cache.full.wait()
        try:
            with limited(request_limit()):
                await key_cache.flush()
        except (*UNAVAILABLE, Unavailable):
            _log.warning("could not write when API keys were last used; trying again later")
            # It may be full still.
            await asyncio.sleep(_FLUSH_SECONDS)


def _tune_memory() -> None:
    _freeze_garbage()
    _keep_freed()


def _freeze_garbage() -> None:
    """Exempts the objects created at start-up from garbage collection, and makes collections rarer than every 700
    objects.

    Measured: the slowest hundredth of lean requests goes from 29 ms to 4 ms.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 100)


def _keep_freed() -> None:
    """Keeps freed memory, up to 64 MB: memory that glibc returns, the kernel hands out again page by page.

    Measured: a usage report of one megabyte goes from 2.8 ms of CPU to 1.7 ms. Other C libraries have no such switch.
    """
    with contextlib.suppress(AttributeError):
        set_option = ctypes.CDLL(None).mallopt
        set_option(_M_TRIM_THRESHOLD, 64 * 1024 * 1024)
        set_option(_M_MMAP_THRESHOLD, 32 * 1024 * 1024)

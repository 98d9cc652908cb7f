"""An embedded PostgreSQL, for installations without a server of their own.

All its files are in one data directory, and nothing outside of that changes its owner or mode. It opens no port. The
functions block; an async caller must run them in a thread.
"""

import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg

from tonnage.config import DatabaseUrls, default_data_dir
from tonnage.embedded.address import connect, short_way, urls
from tonnage.embedded.binaries import programs
from tonnage.embedded.cluster import prepare
from tonnage.embedded.directory import Directory, claim, served_for_good
from tonnage.embedded.errors import DirectoryInUse, EmbeddedError
from tonnage.embedded.guests import gate, guest
from tonnage.embedded.server import SERVER_LIMITS, START_LIMIT, ServerLimits, running

_PAUSE = 0.05
"""Seconds between two attempts to get a lock that another process holds."""

__all__ = ["DirectoryInUse", "EmbeddedError", "connect_or_serve", "default_data_dir", "running_urls", "serve"]


@contextmanager
def serve(
    data_dir: Path,
    *,
    durable: bool = True,
    on_end: Callable[[str], None] | None = None,
    limits: ServerLimits = SERVER_LIMITS,
) -> Generator[DatabaseUrls]:
    """Runs the server of `data_dir`, created when new, while this context lasts. Returns its libpq URLs once a query
    succeeds.

    On entry it recovers from a crash, for up to 60 seconds, and waits as long for a command that uses the directory. On
    exit open transactions are rolled back, and it waits for the server to end. `durable=False` may lose the cluster in
    a power cut: for tests.

    A server that ends by itself is not started again: `on_end` is called with a message, from another thread. Leaving
    the context and entering a new one recovers.

    Raises DirectoryInUse when another process serves this directory, EmbeddedError for anything else.
    """
    deadline = time.monotonic() + START_LIMIT
    with ExitStack() as stack:
        while True:
            try:
                database = stack.enter_context(
                    _served(data_dir, durable=durable, briefly=False, on_end=on_end, limits=limits)
                )
                break
            except DirectoryInUse as busy:
                if not busy.briefly or time.monotonic() > deadline:
                    raise
            time.sleep(_PAUSE)
        yield database


@contextmanager
def connect_or_serve(data_dir: Path, *, durable: bool = True) -> Generator[DatabaseUrls]:
    """The libpq URLs of the server of `data_dir`: the running one's, or that of one started for this context.

    Waits up to 60 seconds for a running server to answer; if it ends meanwhile, starts one. On exit a server that was
    started here waits as long for other commands that use it. Raises EmbeddedError.
    """
    with ExitStack() as stack:
        yield _enter(stack, data_dir, durable=durable)


def running_urls(data_dir: Path) -> DatabaseUrls:
    """The libpq URLs of the server that a `serve` runs in `data_dir`; raises EmbeddedError at once when there is none.

    For long-running callers. The server does not wait for them, so they must handle its end. A server that another
    command started is not accepted, since it is about to end.
    """
    directory = Directory(data_dir.resolve())
    try:
        database = _answering(directory) if served_for_good(directory) else None
    except OSError as error:
        raise EmbeddedError(f"The embedded PostgreSQL in {data_dir} cannot be reached: {error}") from error
    if database is None:
        raise EmbeddedError(
            f"No server is running on {data_dir}. Run `tonnage serve` on it first, or set --database-url."
        )
    return database


@contextmanager
def _served(
    data_dir: Path,
    *,
    durable: bool,
    briefly: bool,
    on_end: Callable[[str], None] | None = None,
    limits: ServerLimits = SERVER_LIMITS,
) -> Generator[DatabaseUrls]:
    with ExitStack() as stack:
        try:
            directory, account = stack.enter_context(claim(data_dir, briefly=briefly))
            folder = programs(directory.path, account)
            prepare(directory, folder, account, durable=durable)
            stack.enter_context(short_way(directory))
            shut = stack.enter_context(gate(directory))
            stack.enter_context(running(directory, folder, account, durable=durable, on_end=on_end, limits=limits))
            if briefly:
                stack.callback(shut, START_LIMIT)
            database = urls(directory)
        except OSError as error:
            raise EmbeddedError(f"The embedded PostgreSQL in {data_dir} cannot be started: {error}") from error
        yield database


def _enter(stack: ExitStack, data_dir: Path, *, durable: bool) -> DatabaseUrls:
    deadline = time.monotonic() + START_LIMIT
    while True:
        # Tries to take the lock instead of testing it: a test would keep out another process that is starting.
        try:
            return stack.enter_context(_served(data_dir, durable=durable, briefly=True))
        except DirectoryInUse as busy:
            with ExitStack() as visit:
                directory = Directory(data_dir.resolve())
                # First registers as a guest, then looks: a server that is about to stop sees us, or refuses us.
                if visit.enter_context(guest(directory)) and (database := _answering(directory)) is not None:
                    stack.push(visit.pop_all())
                    return database
            if time.monotonic() > deadline:
                raise EmbeddedError(f"{busy} It did not answer within {START_LIMIT:.0f} seconds.") from None
        time.sleep(_PAUSE)


def _answering(directory: Directory) -> DatabaseUrls | None:
    try:
        found = urls(directory)
        with connect(found.program) as conn:
            conn.execute("SELECT 1")
    except (psycopg.OperationalError, FileNotFoundError):
        return None
    return found

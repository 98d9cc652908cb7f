"""The server process: started from a clean state, ready when a query succeeds, stopped in order."""

import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from tonnage.embedded.account import Account
from tonnage.embedded.address import DATABASE, PORT, connect, url
from tonnage.embedded.binaries import ENVIRONMENT
from tonnage.embedded.cluster import HERE
from tonnage.embedded.directory import Directory, open_private
from tonnage.embedded.errors import EmbeddedError
from tonnage.embedded.log import LOG_LIMITS, SETTINGS, LogLimits, kept_short, open_log, tail
from tonnage.embedded.orphans import PATIENCE, end_orphans, identity


@dataclass(frozen=True)
class ServerLimits:
    """Limits of a server: seconds to end by itself, and the maximum size of its log."""

    stop: float = PATIENCE
    log: LogLimits = LOG_LIMITS


SERVER_LIMITS = ServerLimits()

START_LIMIT = 60.0
"""Seconds until a server must answer; recovery after a crash may take most of them."""

_SETTINGS = {
    "listen_addresses": "",
    "port": PORT,
    # Relative to the cluster, so that neither the length of the path nor a closed parent matters.
    "unix_socket_directories": "../run",
    "unix_socket_permissions": "0700",
    "password_encryption": "scram-sha-256",
    "max_connections": 100,
    "shared_buffers": "128MB",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    **SETTINGS,
}
_DURABILITY = ("fsync", "synchronous_commit", "full_page_writes")


@contextmanager
def running(
    directory: Directory,
    programs: Path,
    account: Account,
    *,
    durable: bool,
    on_end: Callable[[str], None] | None,
    limits: ServerLimits = SERVER_LIMITS,
) -> Generator[None]:
    """Runs the server while this context lasts; entered when a query succeeds. Raises EmbeddedError, OSError.

    If the server ends meanwhile, `on_end` is called with a message, from another thread.
    """
    alive = open_private(directory.alive, os.O_RDWR)
    try:
        end_orphans(directory, alive)
        _remove_leftovers(directory, account)
        log = open_log(directory, limits.log)
        beginning = os.fstat(log).st_size
        try:
            server = _launch(directory, programs, account, log, alive, durable=durable)
        finally:
            os.close(log)
    finally:
        # The server and its children now hold the lock, and release it when the last of them has ended.
        os.close(alive)
    try:
        _await_answer(server, directory, beginning)
        with kept_short(directory, limits.log), _watched(server, directory, on_end):
            yield
    finally:
        _stop(server, limits.stop)


def _remove_leftovers(directory: Directory, account: Account) -> None:
    # PostgreSQL removes these itself, unless their process number is in use again: then it refuses to start.
    (directory.cluster / "postmaster.pid").unlink(missing_ok=True)
    if directory.run.exists():
        shutil.rmtree(directory.run)
    directory.run.mkdir()
    directory.run.chmod(0o700)
    os.chown(directory.run, account.uid, account.gid)


def _launch(
    directory: Directory, programs: Path, account: Account, log: int, alive: int, *, durable: bool
) -> subprocess.Popen[bytes]:
    settings = [f"{name}={value}" for name, value in _SETTINGS.items()]
    settings += [f"{name}={'on' if durable else 'off'}" for name in _DURABILITY]
    # The second option has no effect: it shows in the process list which directory this is.
    settings += [f"cluster_name={identity(directory)}", f"tonnage.directory={directory.path}"]
    options = [part for setting in settings for part in ("-c", setting)]
    return subprocess.Popen(  # noqa: S603
        [programs / "postgres", "-D", HERE, *options],
        cwd=directory.cluster,
        env=ENVIRONMENT,
        umask=0o077,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        pass_fds=[alive],
        # A Ctrl-C in the terminal goes to its whole foreground process group: the server must run until we stop it.
        start_new_session=True,
        **account.privileges,
    )


def _await_answer(server: subprocess.Popen[bytes], directory: Directory, beginning: int) -> None:
    deadline = time.monotonic() + START_LIMIT
    while True:
        try:
            return _ask(directory)
        except psycopg.OperationalError as error:
            if server.poll() is not None:
                trouble = f"stopped while starting (exit status {server.returncode})"
            elif "password authentication failed" in str(error):
                trouble = f"does not accept the password in {directory.password}; restore that file from a backup"
            elif time.monotonic() > deadline:
                trouble = f"did not answer within {START_LIMIT:.0f} seconds ({error})"
            else:
                time.sleep(0.01)
                continue
            raise EmbeddedError(
                f"PostgreSQL {trouble}. The end of {directory.log}:\n{tail(directory, beginning)}"
            ) from None


def _ask(directory: Directory) -> None:
    # initdb creates only the maintenance database; a start that was interrupted between the two is completed here.
    with connect(url(directory, "postgres")) as conn:
        if conn.execute("SELECT FROM pg_database WHERE datname = %s", [DATABASE]).fetchone() is None:
            conn.execute("CREATE DATABASE tonnage")
    with connect(url(directory)) as conn:
        conn.execute("SELECT 1")


@contextmanager
def _watched(
    server: subprocess.Popen[bytes], directory: Directory, on_end: Callable[[str], None] | None
) -> Generator[None]:
    expected = threading.Event()

    def watch() -> None:
        status = server.wait()
        if on_end is not None and not expected.is_set():
            how = f"killed by signal {-status}" if status < 0 else f"exit status {status}"
            on_end(f"The embedded PostgreSQL has stopped ({how}). {directory.log} may say why.")

    # Not joined: leaving this context stops the server, and the thread ends with it.
    threading.Thread(target=watch, name="embedded PostgreSQL", daemon=True).start()
    try:
        yield
    finally:
        expected.set()


def _stop(server: subprocess.Popen[bytes], limit: float) -> None:
    for number, timeout in ((signal.SIGINT, limit), (signal.SIGQUIT, 10.0), (signal.SIGKILL, None)):
        server.send_signal(number)
        try:
            server.wait(timeout)
        except subprocess.TimeoutExpired:
            continue
        return

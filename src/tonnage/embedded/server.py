"""The server process: started from a clean state, ready when a query succeeds, stopped in order."""

import logging
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psycopg
from psycopg.sql import SQL

from tonnage.embedded.account import Account
from tonnage.embedded.address import DATABASE, PORT, PROGRAM, connect, owner_url
from tonnage.embedded.binaries import ENVIRONMENT
from tonnage.embedded.cluster import HERE
from tonnage.embedded.directory import Directory, new_password
from tonnage.embedded.disk import DISK_FULL, has_room, is_full
from tonnage.embedded.errors import EmbeddedError
from tonnage.embedded.log import LOG_LIMITS, SETTINGS, LogLimits, kept_short, open_log, tail
from tonnage.embedded.orphans import PATIENCE, end_orphans, identity
from tonnage.private_files import open_private

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ServerLimits:
    """Limits of a server: seconds to end by itself, and the maximum size of its log."""

    stop: float = PATIENCE
    log: LogLimits = LOG_LIMITS


SERVER_LIMITS = ServerLimits()

_STOP_IF_FULL = 5.0
"""Seconds for a shutdown while the disk is full. The checkpoint that it waits for cannot be written."""

_PAUSE = 1.0
"""Seconds between two looks at a disk that was full."""

_NO_SPACE = "No space left on device"
"""In a message of PostgreSQL: it has English messages."""

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
    # Of the whole pages that follow a checkpoint: most of what the hourly round writes to the log.
    "wal_compression": "on",
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

    If the server ends meanwhile, `on_end` is called with a message, from another thread. If it ends because the disk is
    full, it is started again when there is room.
    """
    start = partial(_start, directory, programs, account, limits, durable=durable)
    server = _Server(directory, start)
    try:
        _await_answer(server.process, directory, server.beginning)
        _prepare(directory)
        with kept_short(directory, limits.log), _watched(server, on_end):
            yield
    finally:
        _stop(server.process, min(limits.stop, _STOP_IF_FULL) if is_full(directory.path) else limits.stop)


class _Server:
    """The running server. If it ends because the disk is full, it is started again."""

    def __init__(self, directory: Directory, start: Callable[[], tuple[subprocess.Popen[bytes], int]]) -> None:
        self.directory = directory
        self._start = start
        self._changing = threading.Lock()
        self._expected = threading.Event()
        self.process, self.beginning = start()

    def expect_end(self) -> None:
        """From now on it is not started again."""
        with self._changing:
            self._expected.set()

    def outcome(self) -> int | None:
        """Waits for its end; returns its exit status, or None if the end was expected."""
        while True:
            status = self.process.wait()
            if self._expected.is_set():
                return None
            if not self._lacks_room():
                return status
            _log.error("%s PostgreSQL has stopped. It starts again when there is room.", DISK_FULL)
            while not self._expected.wait(_PAUSE) and not has_room(self.directory.path):
                pass
            try:
                with self._changing:
                    if self._expected.is_set():
                        return None
                    self.process, self.beginning = self._start()
            except (EmbeddedError, OSError) as error:
                _log.error("The embedded PostgreSQL cannot be started again: %s", error)
                return status
            _log.warning("There is room on the disk again. The embedded PostgreSQL was started.")

    def _lacks_room(self) -> bool:
        # What it has just deleted may be room enough for a moment.
        return is_full(self.directory.path) or _NO_SPACE in tail(self.directory, self.beginning)


def _start(
    directory: Directory, programs: Path, account: Account, limits: ServerLimits, *, durable: bool
) -> tuple[subprocess.Popen[bytes], int]:
    """The server's process, and the size of its log before."""
    alive = open_private(directory.alive, os.O_RDWR)
    try:
        end_orphans(directory, alive)
        _remove_leftovers(directory, account)
        log = open_log(directory, limits.log)
        beginning = os.fstat(log).st_size
        try:
            return _launch(directory, programs, account, log, alive, durable=durable), beginning
        finally:
            os.close(log)
    finally:
        # The server and its children now hold the lock, and release it when the last of them has ended.
        os.close(alive)


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
    with connect(owner_url(directory, "postgres")) as conn:
        conn.execute("SELECT 1")


def _prepare(directory: Directory) -> None:
    """Creates what initdb has not, at the first start, after an interrupted one and after an upgrade."""
    if not directory.program_password.exists():
        new_password(directory.program_password)
    with connect(owner_url(directory, "postgres")) as conn:
        if conn.execute("SELECT WHERE pg_is_in_recovery()").fetchone() is not None:
            return  # a standby, which takes no changes
        if conn.execute("SELECT FROM pg_database WHERE datname = %s", [DATABASE]).fetchone() is None:
            conn.execute("CREATE DATABASE tonnage")
        if conn.execute("SELECT FROM pg_roles WHERE rolname = %s", [PROGRAM]).fetchone() is None:
            conn.execute("CREATE ROLE tonnage_app LOGIN")
        # Each time, since a restored backup may have the cluster of one day and the file of another.
        password = conn.pgconn.encrypt_password(directory.program_password.read_bytes().strip(), PROGRAM.encode())
        conn.execute(SQL("ALTER ROLE tonnage_app PASSWORD {}").format(password.decode("ascii")))


@contextmanager
def _watched(server: _Server, on_end: Callable[[str], None] | None) -> Generator[None]:
    def watch() -> None:
        status = server.outcome()
        if on_end is not None and status is not None:
            how = f"killed by signal {-status}" if status < 0 else f"exit status {status}"
            on_end(f"The embedded PostgreSQL has stopped ({how}). {server.directory.log} may say why.")

    # Not joined: leaving this context stops the server, and the thread ends with it.
    threading.Thread(target=watch, name="embedded PostgreSQL", daemon=True).start()
    try:
        yield
    finally:
        server.expect_end()


def _stop(server: subprocess.Popen[bytes], limit: float) -> None:
    for number, timeout in ((signal.SIGINT, limit), (signal.SIGQUIT, 10.0), (signal.SIGKILL, None)):
        server.send_signal(number)
        try:
            server.wait(timeout)
        except subprocess.TimeoutExpired:
            continue
        return

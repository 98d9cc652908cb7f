"""The server's log: its content, and its limited size. One older part of it is kept."""

import os
import shutil
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tonnage.embedded.directory import Directory
from tonnage.private_files import open_private

_TAIL = 2_000


@dataclass(frozen=True)
class LogLimits:
    """The maximum size of a log, and how often it is checked while a server writes to it."""

    size: int = 10_000_000
    """Bytes."""
    interval: float = 60.0
    """Seconds."""


LOG_LIMITS = LogLimits()

SETTINGS = {
    # The details of refused statements contain customers' addresses and password hashes, and any client can cause
    # thousands of refusals. LOG ranks above ERROR here: the server's own messages are kept, including starts and
    # crashes.
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    # Without details: the detail of a crashed process is the statement that it was executing.
    "log_error_verbosity": "terse",
    "log_checkpoints": "off",
}


def open_log(directory: Directory, limits: LogLimits = LOG_LIMITS) -> int:
    """Opens the log for appending; starts a new one if it has become too long."""
    _shorten(directory, limits)
    return open_private(directory.log, os.O_WRONLY | os.O_APPEND)


def tail(directory: Directory, beginning: int) -> str:
    """The end of the log, from what was written since it had `beginning` bytes."""
    with directory.log.open("rb") as file:
        file.seek(max(beginning, directory.log.stat().st_size - _TAIL))
        return file.read().decode("utf-8", "replace").strip()


@contextmanager
def kept_short(directory: Directory, limits: LogLimits = LOG_LIMITS) -> Generator[None]:
    """Limits the log's size while a server writes to it. Otherwise months of refused clients would fill the disk."""
    over = threading.Event()

    def watch() -> None:
        while not over.wait(limits.interval):
            _shorten(directory, limits)

    thread = threading.Thread(target=watch, name="log of the embedded PostgreSQL", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _shorten(directory: Directory, limits: LogLimits) -> None:
    if not directory.log.exists() or directory.log.stat().st_size <= limits.size:
        return
    # Copied and truncated, not renamed: a running server keeps its open file. A full disk has no room for the copy, and
    # needs the truncation most.
    with (
        suppress(OSError),
        directory.log.open("rb") as log,
        open(_private(Path(f"{directory.log}.1")), "wb") as old,
    ):
        shutil.copyfileobj(log, old)
    os.truncate(directory.log, 0)


def _private(path: Path) -> int:
    return open_private(path, os.O_WRONLY | os.O_TRUNC)

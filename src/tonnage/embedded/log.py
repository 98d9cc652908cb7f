"""The server's log: what is in it, and that it stays short. Of what it was before there is one older part."""

import os
import shutil
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tonnage.embedded.directory import Directory, open_private

_TAIL = 2_000


@dataclass(frozen=True)
class LogLimits:
    """How long a log may become, and how often that is looked at while a server writes to it."""

    size: int = 10_000_000
    """Bytes."""
    interval: float = 60.0
    """Seconds."""


LOG_LIMITS = LogLimits()

SETTINGS = {
    # What a statement is refused for names customers' addresses and password hashes, and any client can have thousands
    # refused. LOG ranks above ERROR here: what the server says of itself is kept, starting and crashing included.
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    # Without details: that of a crashed process is the statement it was at.
    "log_error_verbosity": "terse",
    "log_checkpoints": "off",
}


def open_log(directory: Directory, limits: LogLimits = LOG_LIMITS) -> int:
    """To append to; begun anew when it has become long."""
    _shorten(directory, limits)
    return open_private(directory.log, os.O_WRONLY | os.O_APPEND)


def tail(directory: Directory, beginning: int) -> str:
    """Its end, of what was written since it had `beginning` bytes."""
    with directory.log.open("rb") as file:
        file.seek(max(beginning, directory.log.stat().st_size - _TAIL))
        return file.read().decode("utf-8", "replace").strip()


@contextmanager
def kept_short(directory: Directory, limits: LogLimits = LOG_LIMITS) -> Generator[None]:
    """While a server writes to it. Clients that are refused, one after the other for months, would fill the disk."""
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
    # Copied and emptied, not renamed: a server that runs goes on with the file that it has. A disk that is full has no
    # room for the copy, and needs the emptying most.
    with (
        suppress(OSError),
        directory.log.open("rb") as log,
        open(_private(Path(f"{directory.log}.1")), "wb") as old,
    ):
        shutil.copyfileobj(log, old)
    os.truncate(directory.log, 0)


def _private(path: Path) -> int:
    return open_private(path, os.O_WRONLY | os.O_TRUNC)

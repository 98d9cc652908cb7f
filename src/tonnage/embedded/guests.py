"""Commands that use a server which another command has started: the server is not stopped while they use it."""

import fcntl
import os
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager

from tonnage.embedded.directory import Directory
from tonnage.private_files import open_private


@contextmanager
def guest(directory: Directory) -> Generator[bool]:
    """Whether we may use another process's server, which will wait for us; False when it is about to stop."""
    descriptor = open_private(directory.guests, os.O_RDWR)
    try:
        yield _locked(descriptor, fcntl.LOCK_SH)
    finally:
        os.close(descriptor)


@contextmanager
def gate(directory: Directory) -> Generator[Callable[[float], None]]:
    """For the process that runs the server: a function that waits so many seconds for the guests to leave, and then
    admits none.

    No guest is admitted until this context ends, which must be after the server has ended.
    """
    descriptor = open_private(directory.guests, os.O_RDWR)

    def shut(timeout: float) -> None:
        deadline = time.monotonic() + timeout
        while not _locked(descriptor, fcntl.LOCK_EX) and time.monotonic() < deadline:
            time.sleep(0.02)

    try:
        yield shut
    finally:
        os.close(descriptor)


def _locked(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True

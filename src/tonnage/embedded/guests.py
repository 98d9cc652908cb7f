"""Commands that use a server which another command has started: it is not stopped under their hands."""

import fcntl
import os
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager

from tonnage.embedded.directory import Directory, open_private


@contextmanager
def guest(directory: Directory) -> Generator[bool]:
    """Whether we may use the server of somebody else, who will wait for us; False when it is about to stop."""
    descriptor = open_private(directory.guests, os.O_RDWR)
    try:
        yield _locked(descriptor, fcntl.LOCK_SH)
    finally:
        os.close(descriptor)


@contextmanager
def gate(directory: Directory) -> Generator[Callable[[float], None]]:
    """For who runs the server: gives a function that waits so many seconds for the guests to go, then lets nobody in.

    The gate stays shut until this ends, which must be after the server has.
    """
    descriptor = open_private(directory.guests, os.O_RDWR)

    def shut(patience: float) -> None:
        deadline = time.monotonic() + patience
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

"""Folders in memory, for database clusters that end with the tests.

Creating a database copies 600 files: a tenth of the time, and the disk's state does not matter.
"""

import contextlib
import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

_SHARED = Path("/dev/shm")
_PREFIX = "tonnage-tests-"

_ROOM = 4 * 10**9
"""Bytes that must be free: a worker's cluster takes less than one eighth of it."""

_NEW = 60
"""Seconds in which a folder may not be locked yet."""


@contextmanager
def folder_in_memory() -> Generator[Path]:
    """A new folder for the block: in memory if there is room, else where temporary files are."""
    with contextlib.suppress(OSError):
        _remove_leftovers()
    with tempfile.TemporaryDirectory(prefix=_PREFIX, dir=_SHARED if _has_room() else None) as name:
        os.chmod(name, 0o711)  # the server's user may be another one
        lock = os.open(name, os.O_RDONLY)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield Path(name)
        finally:
            os.close(lock)


def _has_room() -> bool:
    try:
        return os.access(_SHARED, os.W_OK) and shutil.disk_usage(_SHARED).free > _ROOM
    except OSError:
        return False


def _remove_leftovers() -> None:
    """Of processes that were killed: they hold no lock any more, and memory is not freed by itself."""
    for left in _SHARED.glob(f"{_PREFIX}*"):
        if time.time() - left.stat().st_mtime < _NEW:
            continue
        folder = os.open(left, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(left)
        except BlockingIOError:
            pass
        finally:
            os.close(folder)

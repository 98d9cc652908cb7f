"""Whether the disk of a cluster has room: without it PostgreSQL refuses changes, or ends."""

import shutil
from pathlib import Path

_NEEDED = 24 * 1024 * 1024
"""Bytes. A segment of the write-ahead log has 16 MB, and PostgreSQL ends if it cannot create one."""

_ENOUGH = 2 * _NEEDED
"""Bytes that must be free before a server that ended for lack of room is started again."""

DISK_FULL = "The disk of the embedded PostgreSQL is full."


def is_full(data_dir: Path) -> bool:
    """Whether PostgreSQL may refuse changes or end for lack of room."""
    return _free(data_dir) < _NEEDED


def has_room(data_dir: Path) -> bool:
    """Whether a server can be started again."""
    return _free(data_dir) >= _ENOUGH


def _free(data_dir: Path) -> int:
    return shutil.disk_usage(data_dir).free

"""Processes of this cluster's server that outlived the Tonnage process which started them."""

import fcntl
import hashlib
import os
import signal
import time
from pathlib import Path

from tonnage.embedded.directory import Directory
from tonnage.embedded.errors import EmbeddedError

PATIENCE = 30.0
"""Seconds for a fast shutdown, which writes a checkpoint, before an immediate shutdown."""

_AFTER_QUIT = 10.0


def identity(directory: Directory) -> str:
    """The server's `cluster_name`, which is in the command line of each of its processes."""
    return f"tonnage-{hashlib.sha256(os.fsencode(directory.path)).hexdigest()[:12]}"


def end_orphans(directory: Directory, alive: int) -> None:
    """Stops what still runs on this cluster and locks `alive`. The caller holds the directory. Raises EmbeddedError.

    After this nothing of the cluster runs, so the remnants of an earlier server may be removed. The server's own
    postmaster.pid is not reliable: in a container its number is soon reused by another process.
    """
    # SIGINT is only for the postmaster: its checkpointer would close the log at once, under busy backends.
    chief = _postmaster(directory)
    if chief is not None and chief in processes(directory):
        _send(chief, signal.SIGINT)
        if _quiet_within(PATIENCE, directory, alive):
            return
    for pid in processes(directory):
        _send(pid, signal.SIGQUIT)
    if _quiet_within(_AFTER_QUIT, directory, alive):
        return
    raise EmbeddedError(
        f"Processes of an earlier PostgreSQL server of {directory.path} do not stop. Stop them by hand "
        f"(the main process is in {directory.cluster / 'postmaster.pid'}), then start Tonnage again."
    )


def _postmaster(directory: Directory) -> int | None:
    try:
        return int((directory.cluster / "postmaster.pid").read_text("ascii").splitlines()[0])
    except (FileNotFoundError, ValueError, IndexError):
        return None


def processes(directory: Directory) -> list[int]:
    """The ids of all processes that serve this cluster."""
    return [int(entry) for entry in os.listdir("/proc") if entry.isdigit() and _serves(Path("/proc", entry), directory)]


def _serves(process: Path, directory: Directory) -> bool:
    try:
        if (process / "comm").read_text("utf-8", "replace") != "postgres\n":
            return False
        try:
            return os.path.samefile(process / "cwd", directory.cluster)
        except PermissionError:
            # Root in a container may lack CAP_SYS_PTRACE, and then cannot read the working directory of other users'
            # processes, only their command lines.
            return identity(directory).encode() in (process / "cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return False


def _send(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _quiet_within(seconds: float, directory: Directory, alive: int) -> bool:
    deadline = time.monotonic() + seconds
    while processes(directory) or not _locked(alive):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True

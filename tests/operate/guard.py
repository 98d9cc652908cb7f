"""Runs a command until standard input closes, then ends every process that came from it.

The test run holds the other end of that pipe, so nothing outlives it, however it ends. A command's children may outlive
the command: PostgreSQL does when its Patroni agent is killed. This process is their subreaper, so they become its own.

Imports nothing of ours, so that it starts quickly. The only line that it prints is the id of the command's process.
"""

import ctypes
import os
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress

_PR_SET_CHILD_SUBREAPER = 36
_PATIENCE = 5.0


def main(command: list[str]) -> None:
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=sys.stderr, start_new_session=True)
    os.write(1, b"%d\n" % child.pid)
    # An agent would take the zombie of its server for the server.
    while not select.select([sys.stdin], [], [], 0.05)[0]:
        _reap()
    _end()


def _end() -> None:
    deadline = time.monotonic() + _PATIENCE
    while remaining := _descendants():
        for pid, program in remaining.items():
            # PostgreSQL removes its shared memory on SIGQUIT; after SIGKILL it stays on the machine.
            gently = program == "postgres" and time.monotonic() < deadline
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGQUIT if gently else signal.SIGKILL)
                os.kill(pid, signal.SIGCONT)
        time.sleep(0.05)
        _reap()


def _reap() -> None:
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _descendants() -> dict[int, str]:
    """Their programs."""
    processes = {int(name): _stat(name) for name in os.listdir("/proc") if name.isdigit()}
    found = {os.getpid()}
    while more := {pid for pid, (_, parent) in processes.items() if parent in found} - found:
        found |= more
    return {pid: processes[pid][0] for pid in found - {os.getpid()}}


def _stat(pid: str) -> tuple[str, int]:
    """The program and the parent of a process."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            start, _, rest = stat.read().rpartition(")")
    except (FileNotFoundError, ProcessLookupError):
        return "", 0
    return start.partition("(")[2], int(rest.split()[1])


if __name__ == "__main__":
    main(sys.argv[1:])

"""SIGSTOP and SIGKILL for several processes. One that has ended meanwhile is passed over."""

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

_PATIENCE = 10.0

_AT_REST = {"T", "t", "Z", "X"}
"""Stopped, traced, or ended: the states of proc_pid_stat(5) in which a thread does nothing more."""


def stop(*pids: int) -> None:
    """Sends SIGSTOP; returns when no thread of them runs any more. TimeoutError: that takes too long.

    os.kill returns before the threads of a process have stopped.
    """
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
    deadline = time.monotonic() + _PATIENCE
    while running := [pid for pid in pids if not _states(pid) <= _AT_REST]:
        if time.monotonic() > deadline:
            raise TimeoutError(f"the processes {running} do not stop")
        time.sleep(0.001)


def kill(*pids: int) -> None:
    """Sends SIGKILL to each. The end of one, such as a postmaster, may end others before it is their turn."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _states(pid: int) -> set[str]:
    """The states of all threads; empty if the process has ended."""
    states: set[str] = set()
    for thread in Path(f"/proc/{pid}/task").glob("[0-9]*"):
        try:
            # The name of the program, in parentheses, may itself have blanks and parentheses.
            states.add((thread / "stat").read_text().rpartition(")")[2].split()[0])
        except (FileNotFoundError, ProcessLookupError):
            continue
    return states
